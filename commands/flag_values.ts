import { InvalidArgumentError } from "commander";
import { TrustedProxies } from "../gateway/mod.ts";

/**
 * Parsers of flag values: text in, typed value out, or an error that says what is allowed. Commander
 * puts the flag's name before it.
 */

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

const unitBytes: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};

/** `250ms`, `30s`, `5m`, `1h`, in milliseconds. */
export function duration(text: string): number {
  const [, amount, unit] = /^(\d{1,6})(ms|s|m|h)$/.exec(text) ?? [];
  if (amount === undefined) {
    throw new InvalidArgumentError("Give a number with a unit: 250ms, 30s, 5m or 1h.");
  }
  return Number(amount) * unitMs[unit!]!;
}

/** `host:port`, `[::1]:port` or `:port` (every interface). */
export function listenAddress(text: string): { hostname: string; port: number } {
  const [, ipv6, host, digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65535) {
    throw new InvalidArgumentError("Give HOST:PORT, such as 127.0.0.1:8402, or :8402.");
  }
  return { hostname: ipv6 ?? (host || "0.0.0.0"), port };
}

/** A whole number of bytes, with KiB, MiB or GiB if wanted. */
export function byteCount(text: string): number {
  const [, amount, unit] = /^(\d{1,12})(KiB|MiB|GiB)?$/.exec(text) ?? [];
  if (amount === undefined) {
    throw new InvalidArgumentError("Give a number of bytes: 1048576, 64MiB or 2GiB.");
  }
  return Number(amount) * unitBytes[unit ?? "B"]!;
}

/** For flags that can be repeated or hold a comma-separated list. */
export function list(text: string, previous: readonly string[]): readonly string[] {
  const values = text.split(",").map((value) => value.trim()).filter((value) => value !== "");
  return [...previous, ...values];
}

/** An existing folder. */
export function folder(text: string): string {
  try {
    if (Deno.statSync(text).isDirectory) return text;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  throw new InvalidArgumentError("Give a folder that exists.");
}

/** A list of IP addresses and CIDR ranges. */
export function cidrList(text: string, previous: readonly string[]): readonly string[] {
  const ranges = list(text, previous);
  try {
    new TrustedProxies(ranges);
  } catch (error) {
    throw new InvalidArgumentError((error as TypeError).message);
  }
  return ranges;
}
