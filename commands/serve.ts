import { setTimeout as pause } from "node:timers/promises";
import { type Gateway, startGateway } from "../gateway/mod.ts";
import { FacilitatorSupport } from "../store/facilitator_support.ts";
import type { Ledger } from "../store/ledger/ledger.ts";
import { Logger } from "../store/log.ts";
import { Metrics } from "../store/metrics.ts";
import { commit, version } from "../version.ts";
import { dropPermissions } from "./drop_permissions.ts";
import type { GatewayFlags } from "./gateway_flags.ts";
import { gatewaySettings } from "./gateway_settings.ts";
import { logUnhandledRejections, workerStarter } from "./gateway_worker.ts";
import { ledgerOf } from "./ledger_flags.ts";
import { exitWith } from "./usage_error.ts";

/** What feeds a running gateway with snapshots. */
export interface Serving {
  readonly gateway: Gateway;
  /** What the facilitators of these snapshots say that they support. */
  readonly facilitators: FacilitatorSupport;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Aborts at once when the process is asked to end, while replies are still being sent. */
  readonly terminating: AbortSignal;
  /** Aborts when the last reply has been sent. */
  readonly signal: AbortSignal;
}

/** Milliseconds. A facilitator's networks change with its releases; an outage should be over sooner. */
const pollTimes = { refreshMs: 10 * 60_000, retryMs: 5_000, maxRetryMs: 5 * 60_000 };

/**
 * Starts the gateway, lets `feed` publish snapshots, and ends the process on SIGTERM or SIGINT: it is
 * not ready from then on, takes requests for the shutdown delay, which a second signal ends, and
 * then no new ones while those in progress end.
 *
 * @param feed ends when the signal aborts; should it end by itself, so does the process
 */
export async function serve(
  flags: GatewayFlags,
  feed: (serving: Serving) => Promise<void>,
): Promise<void> {
  const log = new Logger(flags.logLevel);
  const metrics = new Metrics();
  metrics.exposeProcess({ version, commit, deno: Deno.version.deno });
  const facilitators = new FacilitatorSupport();
  const settings = await gatewaySettings(flags, log).catch(exitWith);
  // The first process of a container does not end by a signal that it does not listen to, and the
  // ledger may have to be waited for.
  const asked = terminated();
  let hasLedger = false;
  asked.then(() => hasLedger || Deno.exit(0));
  let ledger: Ledger;
  let gateway: Gateway;
  try {
    ledger = await ledgerOf(flags, log);
    hasLedger = true;
    dropPermissions();
    gateway = startGateway(settings, ledger, metrics, log, {
      polling: { support: facilitators, ...pollTimes },
      ...(settings.workers > 1 && { startWorker: workerStarter(flags) }),
    });
  } catch (error) {
    log.error("cannot start", { reason: (error as Error).message });
    Deno.exit(1);
  }
  const addresses = Object.entries(gateway.addresses)
    .map(([name, { hostname, port }]) => [name, `${hostname}:${port}`]);
  log.info("gateway listening", Object.fromEntries(addresses));
  if (flags.ledger === undefined) {
    log.warn("payments are recorded in memory only and forgotten at the end; set --ledger");
  }

  logUnhandledRejections(log);
  const stop = new AbortController();
  const terminate = new AbortController();
  const { signal: terminating } = terminate;
  const feeding = feed({ gateway, facilitators, metrics, log, terminating, signal: stop.signal });
  await Promise.race([asked, feeding]);
  terminate.abort();
  gateway.unready();
  if (flags.shutdownDelay > 0) {
    log.info("not ready any more, requests are still taken", { delayMs: flags.shutdownDelay });
    await Promise.race([terminated(), pause(flags.shutdownDelay)]);
  }
  log.info("draining", { timeoutMs: flags.drainTimeout });
  const clean = await gateway.drain(flags.drainTimeout);
  if (!clean) log.warn("drain timeout: replies in progress were cut off");
  await ledger.close();
  stop.abort();
  await feeding;
  // Whatever still holds the process up at this point, nobody waits for it.
  Deno.exit(0);
}

/** Resolves on SIGTERM (Kubernetes, docker stop) or SIGINT (Ctrl-C). */
function terminated(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, () => resolve());
  }
  return promise;
}
