import { type Command, InvalidArgumentError } from "commander";
import type { GatewaySettings, Rate } from "../gateway/mod.ts";
import { atLeastOne, duration } from "./flag_values.ts";
import { flag, parsed } from "./gateway_flags.ts";

/** Limits of what is asked for without paying, and of all work together. */
export interface LimitFlags {
  readonly rateLimitUnpaid: Rate | "off";
  readonly rateLimitInvalid: Rate | "off";
  readonly maxInFlight: number;
  /** ms; Infinity: off */
  readonly maxLag: number;
}

/**
 * Of one client, which can be the address of a large office: a buyer needs one 402 for a payment, and
 * a hundred a second are a three-hundredth of what one core answers. A payment is refused to a buyer
 * whose wallet is empty or whose clock is wrong; each one may cost a call to the facilitator, and ten
 * a second leave others nearly all of the 64 that it gets at a time.
 */
const unpaid = { text: "1000/10s", rate: rate("1000/10s") };
const invalid = { text: "100/10s", rate: rate("100/10s") };

export function addLimitFlags(command: Command): Command {
  return command
    .addOption(
      flag(
        "--rate-limit-unpaid <n/time>",
        "402s of one client, at once and in that time, or off; " +
          "by default off in a cluster without --trusted-proxies",
      ).argParser(rate).default(unpaid.rate, unpaid.text),
    )
    .addOption(
      flag(
        "--rate-limit-invalid <n/time>",
        "payments of one client that are malformed or refused, likewise",
      ).argParser(rate).default(invalid.rate, invalid.text),
    )
    .addOption(
      parsed(
        "--max-in-flight <number>",
        "requests that are worked on at a time, then 503; a quarter is for payments",
        atLeastOne,
        "4096",
      ),
    )
    .addOption(
      parsed(
        "--max-lag <time>",
        "that the gateway may be late itself before it takes fewer requests, or off",
        durationOrOff,
        "500ms",
      ),
    );
}

/** The parts of the gateway's settings that these flags are about. */
export function limitSettings(
  { rateLimitUnpaid, rateLimitInvalid, maxInFlight, maxLag }: LimitFlags,
): Pick<GatewaySettings, "rates" | "load"> {
  const on = (rate: Rate | "off") => rate === "off" ? undefined : rate;
  return {
    rates: { unpaid: on(rateLimitUnpaid), invalid: on(rateLimitInvalid) },
    load: { maxInFlight, maxLagMs: maxLag },
  };
}

/**
 * What the defaults are where all requests come from the cluster's proxies: as long as these are not
 * trusted, all clients are one, and what is generous for one would be a wall for all of them.
 */
export function limitsBehindProxies<F extends LimitFlags>(
  flags: F,
  trustedProxies: readonly string[],
): F {
  if (trustedProxies.length > 0) return flags;
  // The very objects of the defaults: who asks for as much gets it.
  const { rateLimitUnpaid, rateLimitInvalid } = flags;
  return {
    ...flags,
    rateLimitUnpaid: rateLimitUnpaid === unpaid.rate ? "off" : rateLimitUnpaid,
    rateLimitInvalid: rateLimitInvalid === invalid.rate ? "off" : rateLimitInvalid,
  };
}

/** `1000/10s`, or `off`. */
function rate(text: string): Rate | "off" {
  if (text === "off") return text;
  const [count = "", time = "", ...more] = text.split("/");
  try {
    if (more.length === 0) return { count: atLeastOne(count), perMs: duration(time) };
  } catch {
    // said below
  }
  throw new InvalidArgumentError("Give a number and a time, such as 1000/10s, or off.");
}

function durationOrOff(text: string): number {
  return text === "off" ? Infinity : duration(text);
}
