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

/** A timer of more than 2^31 ms (25 days) goes off at once. */
const maxDurationMs = 24 * 3_600_000;

/** `250ms`, `30s`, `5m`, `1h`, in milliseconds; more than nothing, at most a day. */
export function duration(text: string): number {
  const [, amount, unit] = /^(\d{1,8})(ms|s|m|h)$/.exec(text) ?? [];
  const ms = Number(amount) * unitMs[unit ?? ""]!;
  if (!(ms > 0 && ms <= maxDurationMs)) {
    throw new InvalidArgumentError(
      "Give a number with a unit, from 1ms to 24h: 250ms, 30s, 5m or 1h.",
    );
  }
  return ms;
}

/** A duration that may be `0s`. */
export function delay(text: string): number {
  return text === "0s" ? 0 : duration(text);
}

/** `24h`, `90d` or `forever` (Infinity), in ms. */
export function period(text: string): number {
  if (text === "forever") return Infinity;
  const [, amount, unit] = /^(\d{1,5})(h|d)$/.exec(text) ?? [];
  const ms = Number(amount) * (unit === "d" ? 24 : 1) * unitMs.h!;
  if (ms > 0) return ms;
  throw new InvalidArgumentError("Give hours, days or forever: 24h, 90d, forever.");
}

/** A number of times: 0 or more. */
export function wholeNumber(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Give a whole number, 0 or more.");
}

/** A number of things, at least one. */
export function atLeastOne(text: string): number {
  if (/^\d{1,6}$/.test(text) && Number(text) > 0) return Number(text);
  throw new InvalidArgumentError("Give a whole number, 1 or more.");
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
  const bytes = Number(amount) * unitBytes[unit ?? "B"]!;
  if (!Number.isSafeInteger(bytes)) {
    throw new InvalidArgumentError("Give a number of bytes: 1048576, 64MiB or 2GiB.");
  }
  return bytes;
}

/** For flags that can be repeated or hold a comma-separated list. */
function list(text: string, previous: readonly string[]): readonly string[] {
  const values = text.split(",").map((value) => value.trim()).filter((value) => value !== "");
  return [...previous, ...values];
}

/** An existing folder. */
export function folder(text: string): string {
  try {
    if (Deno.statSync(text).isDirectory) return text;
  } catch {
    // Whatever the reason, it is not a folder that can be used.
  }
  throw new InvalidArgumentError("Give a folder that exists.");
}

/** The text of a file with PEM certificates. */
export function pemFile(path: string): string {
  let text;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    throw new InvalidArgumentError(`The file cannot be read: ${(error as Error).message}.`);
  }
  if (/-----BEGIN CERTIFICATE-----/.test(text)) return text;
  throw new InvalidArgumentError("Give a file with certificates in PEM form.");
}

/** `true` or `false`: what a switch is in an environment variable. */
export function booleanText(text: string): boolean {
  if (text === "true" || text === "false") return text === "true";
  throw new InvalidArgumentError("Give true or false.");
}

/** A DNS name: `cluster.local`. */
export function domain(text: string): string {
  if (/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(text)) return text;
  throw new InvalidArgumentError("Give a domain in lower case: cluster.local.");
}

/** A name of a Namespace or Service (RFC 1123 label). */
export function dnsLabel(text: string): string {
  if (/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(text)) return text;
  throw new InvalidArgumentError("Give a name in lower case: letters, digits and -.");
}

/** A list of names of Namespaces. */
export function namespaceList(text: string, previous: readonly string[]): readonly string[] {
  return list(text, previous).map(dnsLabel);
}

/** A TCP port. */
export function portNumber(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port >= 1 && port <= 65535) return port;
  throw new InvalidArgumentError("Give a port from 1 to 65535.");
}

/** A list of hosts, each with or without a port. */
export function hostList(text: string, previous: readonly string[]): readonly string[] {
  const hosts = list(text, previous);
  if (hosts.every((host) => /^([\w.-]+|\[[0-9a-fA-F:.]+\])(:\d{1,5})?$/.test(host))) return hosts;
  throw new InvalidArgumentError("Give HOST or HOST:PORT without a scheme: localhost:9402.");
}

/** A list of URLs. */
export function urlList(text: string, previous: readonly string[]): readonly string[] {
  const urls = list(text, previous);
  if (urls.every((url) => /^https?:$/.test(URL.parse(url)?.protocol ?? ""))) return urls;
  throw new InvalidArgumentError("Give URLs, such as https://facilitator.example.com/x402.");
}

/** A list of origins, as browsers send them, or `*`. */
export function originList(text: string, previous: readonly string[]): readonly string[] {
  const origins = list(text, previous);
  if (origins.every((origin) => origin === "*" || URL.parse(origin)?.origin === origin)) {
    return origins;
  }
  throw new InvalidArgumentError("Give origins, such as https://shop.example.com, or *.");
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
