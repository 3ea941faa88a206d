/** Whether a request that reached the backend unpaid could be taken for one that costs something. */
import type { ReadMessage } from "./read_stream.ts";
import type { MessageHead } from "./read_head.ts";
import { priceOf } from "./reference_prices.ts";
import { asHandedOn, readPath } from "./reference_paths.ts";

/** Normalized as CGI does: frameworks see no difference. */
export function cgiName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, "-");
}

/** `preflight`: it costs something, and may pass as what it is, without a reply's body. */
export interface PriceOffence {
  /** The way to read it under which it costs something. */
  readonly how: string;
  readonly price: "pay" | "blocked" | "preflight";
}

/**
 * @param arrival what the backend got
 * @param sent the same request as each parser has it from what the client sent
 */
export function judgePrice(
  arrival: MessageHead,
  sent: readonly ReadMessage[],
): PriceOffence | undefined {
  const original = sent[0];
  const valueOf = (wanted: string) => {
    const values = (original ?? arrival).headers.filter(([name]) => name === wanted);
    return values.length === 0 ? undefined : values.map(([, value]) => value).join(", ");
  };
  const targets = new Set([arrival.target, ...sent.map(({ target }) => asHandedOn(target))]);
  const readings = [...targets].flatMap(readPath);
  let preflight: PriceOffence | undefined;
  for (const host of hostsOf([arrival, ...sent])) {
    for (const method of methodsOf(arrival)) {
      for (const { path, steps } of readings) {
        const price = priceOf({ host, path, method, valueOf });
        if (price === undefined || price === "free") continue;
        const reading = steps.join(", ") || "as it is";
        const how = `${method} ${host || "(no host)"} ${JSON.stringify(path)}: ${reading}`;
        if (price === "pay" && original !== undefined && isFreePreflight(original, arrival)) {
          preflight = { how, price: "preflight" };
        } else return { how, price };
      }
    }
  }
  return preflight;
}

/** Every host that a request names, to some server or other. */
function hostsOf(messages: readonly MessageHead[]): Set<string> {
  const hosts = new Set<string>();
  for (const { headers, target } of messages) {
    const named = headers.filter(([name]) => name === "host").map(([, value]) => value);
    const absolute = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(target)?.[1];
    if (absolute !== undefined) named.push(absolute);
    const names = named.flatMap((authority) => authority.split(/[/?#\\@,\s]+/)).map(hostName);
    for (const name of names) if (name !== "") hosts.add(name);
  }
  return hosts.size === 0 ? hosts.add("") : hosts;
}

function hostName(authority: string): string {
  return authority.toLowerCase().replace(/:\d*$/, "").replace(/\.+$/, "");
}

const overrides = new Set(["x-http-method-override", "x-http-method", "x-method-override"]);

/** The methods for which a backend may take it. */
function methodsOf({ method, headers }: MessageHead): Set<string> {
  const asked = headers.filter(([name]) => overrides.has(cgiName(name)))
    // Express takes the first of a list, others the last line.
    .flatMap(([, value]) => value.split(","));
  return new Set([method, ...asked].map((name) => name.trim().toUpperCase()));
}

const ofPreflights =
  /^(?:host|origin|access-control-request-.*|user-agent|x-402-hops|x-forwarded-(?:for|host|proto)|accept|accept-language|accept-encoding|connection|content-length)$/;

/** A CORS preflight gets through, with nothing but what a preflight needs. */
function isFreePreflight(sent: ReadMessage, arrival: MessageHead): boolean {
  const has = (wanted: string) => sent.headers.some(([name]) => name === wanted);
  return sent.method === "OPTIONS" && arrival.method === "OPTIONS" &&
    has("origin") && has("access-control-request-method") &&
    arrival.headers.every(([name, value]) =>
      ofPreflights.test(name) && (name !== "content-length" || value === "0")
    );
}
