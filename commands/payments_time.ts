import { InvalidArgumentError } from "commander";
import { period } from "./flag_values.ts";

/** RFC 3339; what is left out of the time of day is its beginning in UTC. */
const pointInTime =
  /^(\d{4}-\d{2}-\d{2})(?:[Tt](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d))?$/;

/**
 * A parser of points in time: RFC 3339, a date (its midnight in UTC), or a time ago (`24h`, `7d`).
 *
 * @param now ms since 1970
 * @returns ms since 1970
 */
export function timeParser(now: () => number): (text: string) => number {
  return (text) => {
    if (/^\d+[hd]$/.test(text)) return now() - period(text);
    const [, date] = pointInTime.exec(text) ?? [];
    const ms = Date.parse(text.toUpperCase());
    // JavaScript takes February 30 for March 2.
    if (date !== undefined && isDay(date) && !Number.isNaN(ms)) return ms;
    throw new InvalidArgumentError(
      "Give a time with its zone, a date (UTC), or how long ago: 2026-11-24T08:00:00Z, " +
        "2026-11-24, 24h, 7d.",
    );
  };
}

function isDay(date: string): boolean {
  const midnight = new Date(`${date}T00:00:00Z`);
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(date);
}

/** RFC 3339 in UTC with ms; absent for what no calendar has. */
export function timeText(ms: number): string | undefined {
  const time = new Date(ms);
  return Number.isNaN(time.getTime()) ? undefined : time.toISOString();
}
