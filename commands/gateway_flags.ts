import { type Command, Option } from "commander";
import type { GatewaySettings } from "../gateway/mod.ts";
import { type LogLevel, logLevels } from "../store/log.ts";
import {
  atLeastOne,
  booleanText,
  cidrList,
  delay,
  domain,
  duration,
  hostList,
  listenAddress,
  originList,
} from "./flag_values.ts";
import { addFacilitatorFlags, type FacilitatorFlags } from "./facilitator_flags.ts";
import { addConnectionFlags, type ConnectionFlags } from "./connection_flags.ts";
import { addLimitFlags, type LimitFlags } from "./limit_flags.ts";
import { addLedgerFlags, type LedgerFlags } from "./ledger_flags.ts";

/** Flags on which depends what a manifest means. */
export interface ManifestFlags {
  readonly allowFacilitatorHost: readonly string[];
  readonly clusterDomain: string;
}

/** The values of the flags of `gateway` and `run`: times in milliseconds, sizes in bytes. */
export interface GatewayFlags
  extends ManifestFlags, FacilitatorFlags, LedgerFlags, ConnectionFlags, LimitFlags {
  readonly listen: GatewaySettings["listen"];
  readonly metricsListen: GatewaySettings["listen"];
  readonly probeListen: GatewaySettings["listen"];
  readonly trustedProxies: readonly string[];
  readonly cors: readonly string[];
  readonly shutdownDelay: number;
  readonly drainTimeout: number;
  readonly workers: number;
  readonly accessLog: boolean;
  readonly logLevel: LogLevel;
}

/** One that has no core of its own only costs memory; a container's limit is counted as cores. */
function defaultWorkers(): number {
  return Math.min(navigator.hardwareConcurrency, 4);
}

type Parse<T> = (text: string, previous: T) => T;

/**
 * The flags of the gateway itself; each has an environment variable, `--log-level` is `X402_LOG_LEVEL`.
 *
 * @param shutdownDelay the default of that flag
 */
export function addGatewayFlags(command: Command, shutdownDelay: string): Command {
  addLedgerFlags(addFacilitatorFlags(addManifestFlags(command)));
  return addLimitFlags(addConnectionFlags(command))
    .addOption(parsed("--listen <host:port>", "where the gateway listens", listenAddress, ":8402"))
    .addOption(
      parsed("--metrics-listen <host:port>", "where /metrics is served", listenAddress, ":8080"),
    )
    .addOption(
      parsed(
        "--probe-listen <host:port>",
        "where /healthz and /readyz are",
        listenAddress,
        ":8081",
      ),
    )
    .addOption(
      flag(
        "--workers <number>",
        "isolates that serve requests",
      ).argParser(atLeastOne).default(defaultWorkers(), "the number of processor cores, at most 4"),
    )
    .addOption(
      repeatable(
        "--trusted-proxies <cidr>",
        "addresses whose X-Forwarded-* headers are believed",
        cidrList,
      ),
    )
    .addOption(
      repeatable(
        "--cors <origin>",
        "origin, or *, whose preflights are answered where the backend does not",
        originList,
      ),
    )
    .addOption(
      parsed(
        "--shutdown-delay <time>",
        "that requests are taken on after SIGTERM, or 0s",
        delay,
        shutdownDelay,
      ),
    )
    .addOption(
      parsed("--drain-timeout <time>", "for replies in progress after SIGTERM", duration, "30s"),
    )
    .addOption(
      flag("--access-log [true|false]", "write one log line per request")
        .preset("true").argParser(booleanText).default(false),
    )
    .addOption(
      flag("--log-level <level>", "least level that is logged").choices(logLevels).default("info"),
    );
}

/** The flags on which depends what a manifest means. */
export function addManifestFlags(command: Command): Command {
  return command
    .addOption(
      repeatable(
        "--allow-facilitator-host <host>",
        "host or host:port of a facilitator that may be local, private or without TLS",
        hostList,
      ),
    )
    .addOption(
      parsed("--cluster-domain <domain>", "how names in the cluster end", domain, "cluster.local"),
    );
}

/** A flag with its environment variable. */
export function flag(flags: string, description: string): Option {
  const option = new Option(flags, description);
  return option.env("X402_" + option.name().toUpperCase().replaceAll("-", "_"));
}

/** The default is written as a user would write it, and shown so in the help. */
export function parsed<T>(
  flags: string,
  text: string,
  parse: (text: string) => T,
  initial: string,
) {
  return flag(flags, text).argParser(parse).default(parse(initial), initial);
}

/** A flag whose values add up. */
export function repeatable(
  flags: string,
  description: string,
  parse: Parse<readonly string[]>,
): Option {
  return flag(flags, `${description} (repeat, or separate with commas)`)
    .argParser(parse)
    .default([], "none");
}
