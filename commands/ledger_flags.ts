import { setTimeout as pause } from "node:timers/promises";
import type { Command } from "commander";
import { findNetwork, knownNetworkNames } from "../crd/networks.ts";
import type { PaymentSettings } from "../gateway/mod.ts";
import { isOutage } from "../store/ledger/ledger_outage.ts";
import { checkTarget, inMemory } from "../store/ledger/ledger_target.ts";
import { type Ledger, openLedger } from "../store/ledger/open_ledger.ts";
import { defaultLedgerSettings, type LedgerSettings } from "../store/ledger/payment_ledger.ts";
import type { SqliteSync } from "../store/ledger/sqlite_database.ts";
import type { Logger } from "../store/log.ts";
import { duration, period, wholeNumber } from "./flag_values.ts";
import { flag, parsed, repeatable } from "./gateway_flags.ts";
import { UsageError } from "./usage_error.ts";

/** Between two tries to reach a ledger, in ms. */
const maxWaitMs = 5_000;

/** The values of the flags about payments that are on record; times in ms. */
export interface LedgerFlags {
  /** A path or a URL of PostgreSQL; absent: in memory. */
  readonly ledger?: string;
  readonly ledgerSync: SqliteSync;
  readonly ledgerRetention: number;
  readonly identifierRetention: number;
  readonly paymentLease: number;
  readonly redeliveries: number;
  readonly redeliveryWindow: number;
  readonly reconcileInterval: number;
  /** As given: an error must not show them, as there may be a key in each. */
  readonly rpcUrl: readonly string[];
}

export function addLedgerFlags(command: Command): Command {
  return command
    .addOption(
      flag(
        "--ledger <path|url>",
        "where payments are recorded: an SQLite file or postgres://... " +
          "(default: in memory, until the process ends)",
      ),
    )
    .addOption(
      flag("--ledger-sync <mode>", "of SQLite: whether a commit waits for the disk (full) or not")
        .choices(["normal", "full"]).default("normal"),
    )
    .addOption(
      parsed("--ledger-retention <time>", "that payments are kept", period, "forever"),
    )
    .addOption(
      parsed("--identifier-retention <time>", "that payment identifiers are kept", period, "24h"),
    )
    .addOption(
      parsed("--payment-lease <time>", "until a silent replica counts as dead", duration, "30s"),
    )
    .addOption(
      parsed(
        "--redeliveries <n>",
        "times that a lost reply may be fetched again",
        wholeNumber,
        "3",
      ),
    )
    .addOption(
      parsed("--redelivery-window <time>", "after the payment for that", duration, "15m"),
    )
    .addOption(
      parsed("--reconcile-interval <time>", "between looks at open payments", duration, "5s"),
    )
    .addOption(
      repeatable(
        "--rpc-url <network=url>",
        "JSON-RPC endpoint that is asked about settlements in doubt",
        (text, previous) => [...previous, ...text.split(",")],
      ),
    );
}

/**
 * What of these flags is for the gateway itself.
 * @throws {UsageError}
 */
export function paymentSettings(flags: LedgerFlags): PaymentSettings {
  if (flags.ledger !== undefined) checkLedger(flags.ledger);
  // Nobody can look into a ledger in memory later, so what is over needs no place in it.
  const paymentsMs = flags.ledger === undefined ? 3_600_000 : flags.ledgerRetention;
  const unusedMs = flags.ledger === undefined ? 600_000 : 24 * 3_600_000;
  return {
    rpcUrls: rpcUrls(flags.rpcUrl),
    reconcileMs: flags.reconcileInterval,
    retention: { paymentsMs, unusedMs, identifiersMs: flags.identifierRetention },
  };
}

export function ledgerSettings(flags: LedgerFlags): LedgerSettings {
  return {
    ...defaultLedgerSettings,
    leaseMs: flags.paymentLease,
    redeliveries: flags.redeliveries,
    redeliveryMs: flags.redeliveryWindow,
  };
}

/**
 * Waits for a server that is not up yet: a process that ended would be started again later and later
 * (CrashLoopBackOff), up to five minutes after the server is there.
 * @throws when it cannot be opened, for other reasons
 */
export async function ledgerOf(flags: LedgerFlags, log: Logger): Promise<Ledger> {
  const open = () =>
    openLedger(flags.ledger ?? inMemory, {
      sync: flags.ledgerSync,
      settings: ledgerSettings(flags),
      onIdleError: ({ message }) => log.warn("connection to the ledger lost", { reason: message }),
    });
  for (let waitMs = 250;; waitMs = Math.min(2 * waitMs, maxWaitMs)) {
    try {
      return await open();
    } catch (error) {
      if (!isOutage(error)) throw error;
      const { message } = error as Error;
      log.warn("the ledger cannot be reached, it is tried again", { reason: message, waitMs });
    }
    await pause(waitMs);
  }
}

function checkLedger(target: string): void {
  try {
    checkTarget(target);
  } catch (error) {
    throw new UsageError(`--ledger: ${(error as Error).message}`);
  }
}

/** `base=https://...`, by network id. */
function rpcUrls(entries: readonly string[]): ReadonlyMap<string, string> {
  const urls = new Map<string, string>();
  for (const entry of entries) {
    const [, name = "", url = ""] = /^\s*([^=\s]+)=(\S+)\s*$/.exec(entry) ?? [];
    const network = findNetwork(name);
    if (network === undefined) {
      throw new UsageError(
        "--rpc-url: give NETWORK=URL, such as base=https://mainnet.base.org; networks are eip155:N " +
          `or ${knownNetworkNames().join(", ")}`,
      );
    }
    if (!/^https?:$/.test(URL.parse(url)?.protocol ?? "")) {
      throw new UsageError(`--rpc-url: the URL for ${network.caip2} has to be an http(s) URL`);
    }
    urls.set(network.caip2, url);
  }
  return urls;
}
