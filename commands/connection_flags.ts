import type { Command } from "commander";
import type { GatewaySettings } from "../gateway/mod.ts";
import { atLeastOne, byteCount, duration, pemFile, wholeNumber } from "./flag_values.ts";
import { flag, parsed } from "./gateway_flags.ts";

/** Limits of connections, of clients and to backends: times in milliseconds, sizes in bytes. */
export interface ConnectionFlags {
  readonly maxConnections: number;
  readonly headerTimeout: number;
  readonly keepAliveTimeout: number;
  readonly idleTimeout: number;
  readonly minClientRate: number;
  readonly maxHeaderBytes: number;
  readonly maxBodyBytes: number;
  readonly maxChunkedBodyBytes: number;
  readonly upstreamTransport: "fetch" | "http1";
  readonly upstreamConnectTimeout: number;
  readonly upstreamTimeout: number;
  readonly upstreamMaxConnections: number;
  readonly upstreamMaxWaiting: number;
  readonly upstreamCaFile?: string;
}

/** ms that a client may be slow before its rate counts: a bad network is no attack. */
const rateGraceMs = 30_000;
/** ms for a client that was answered to stop sending. */
const lingerMs = 10_000;
/** Kept to one backend when nothing goes on, and ms for which; less than servers usually keep them. */
const upstreamIdle = { maxIdle: 1_024, idleMs: 50_000, onceIdleMs: 1_000 };

export function addConnectionFlags(command: Command): Command {
  const options = [
    parsed(
      "--max-connections <number>",
      "of clients at a time, idle ones go first",
      atLeastOne,
      "10000",
    ),
    parsed("--header-timeout <time>", "for the header of a request", duration, "10s"),
    parsed("--keep-alive-timeout <time>", "between requests of a connection", duration, "75s"),
    parsed("--idle-timeout <time>", "without a byte of a body in either direction", duration, "5m"),
    parsed(
      "--min-client-rate <bytes>",
      "a second, on average; 0: as slow as it likes",
      wholeNumber,
      "64",
    ),
    parsed("--max-header-bytes <size>", "of a request's header", byteCount, "64KiB"),
    parsed("--max-body-bytes <size>", "of a request body", byteCount, "1024GiB"),
    parsed(
      "--max-chunked-body-bytes <size>",
      "of a request body without Content-Length",
      byteCount,
      "64MiB",
    ),
    flag("--upstream-transport <name>", "the client that calls backends")
      .choices(["http1", "fetch"]).default("http1"),
    parsed("--upstream-connect-timeout <time>", "for a connection to a backend", duration, "5s"),
    parsed("--upstream-timeout <time>", "from the last byte sent to a reply", duration, "60s"),
    parsed("--upstream-max-connections <number>", "to one backend", atLeastOne, "1024"),
    parsed(
      "--upstream-max-waiting <number>",
      "requests that wait for a connection to one backend, then 503",
      wholeNumber,
      "1024",
    ),
    flag(
      "--upstream-ca-file <file>",
      "PEM certificates that backends may have, besides public ones",
    )
      .argParser(pemFile),
  ];
  for (const option of options) command.addOption(option);
  return command;
}

/** The parts of the gateway's settings that these flags are about. */
export function connectionSettings(
  flags: ConnectionFlags,
): Pick<GatewaySettings, "front" | "proxy" | "upstream"> {
  return {
    front: {
      maxConnections: flags.maxConnections,
      headMs: flags.headerTimeout,
      keepAliveMs: flags.keepAliveTimeout,
      idleMs: flags.idleTimeout,
      clientRate: { graceMs: rateGraceMs, bytesPerSecond: flags.minClientRate },
      maxHeadBytes: flags.maxHeaderBytes,
      lingerMs,
    },
    proxy: {
      connectOrHeadMs: flags.upstreamTimeout,
      idleMs: flags.idleTimeout,
      maxBodyBytes: flags.maxBodyBytes,
      maxChunkedBodyBytes: flags.maxChunkedBodyBytes,
    },
    upstream: {
      transport: flags.upstreamTransport,
      connectMs: flags.upstreamConnectTimeout,
      caCerts: flags.upstreamCaFile === undefined ? [] : [flags.upstreamCaFile],
      maxConnections: flags.upstreamMaxConnections,
      maxWaiting: flags.upstreamMaxWaiting,
      ...upstreamIdle,
    },
  };
}
