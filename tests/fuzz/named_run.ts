import { Flight, requestId } from "./flight.ts";
import type { FuzzBed } from "./fuzz_run.ts";
import { isClean } from "./generate_flight.ts";
import { type NamedCase, namedCases } from "./named_cases.ts";

/** At a time: most of them wait. */
const lanes = 64;

/** How a text comes: in which pieces it is written. */
export type Cutting = (text: string) => string[];

export const whole: Cutting = (text) => [text];

/** Each byte by itself, or as few as make no more pieces than a patient server waits for. */
export const byteByByte: Cutting = (text) => {
  const size = Math.ceil(text.length / mostPieces);
  return text.match(new RegExp(`.{1,${size}}`, "gs")) ?? [];
};
const mostPieces = 200;

/** Two pieces, the first one of that many bytes. */
export const halves = (at: number): Cutting => (text) => [text.slice(0, at), text.slice(at)];

/** What became of a case. */
export interface Outcome {
  readonly name: string;
  /** Numbers of the requests that the backend got. */
  readonly arrived: readonly number[];
  readonly statuses: readonly number[];
  /** No parser has any doubt about it. */
  readonly clean: boolean;
  /** As the case wants it. */
  readonly expected: boolean;
}

/**
 * Flies cases in one cutting.
 * @param first number of the first flight; each needs its own
 */
export async function flyNamed(
  bed: FuzzBed,
  cutting: Cutting,
  first: number,
  cases: readonly NamedCase[] = namedCases,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const queue = cases.entries();
  await Promise.all(Array.from({ length: lanes }, async () => {
    for (const [index, named] of queue) {
      const flight = flightFor(named, cutting, first + index);
      const replies = await bed.flyOne(flight);
      const arrived = flight.seen.map((id) => id.charCodeAt(id.length - 1) - 65);
      outcomes[index] = {
        name: named.name,
        arrived,
        statuses: replies.map(({ status }) => status),
        clean: flight.plan.clean,
        expected: named.arrive === undefined || named.arrive.join() === arrived.join(),
      };
    }
  }));
  return outcomes;
}

function flightFor(named: NamedCase, cutting: Cutting, number: number): Flight {
  const text = named.text((request) => requestId(number, request));
  return new Flight(number, {
    name: named.name,
    writes: cutting(text).filter((piece) => piece !== ""),
    replies: named.replies ?? ["sized"],
    clean: isClean(text),
  });
}

/** Outcomes that are not as the case wants them. */
export function unexpected(outcomes: readonly Outcome[]): string[] {
  return outcomes.filter(({ expected }) => !expected)
    .map(({ name, arrived, statuses }) => `${name}: requests ${arrived} arrived, ${statuses}`);
}

/**
 * Cases that came out otherwise when they were cut otherwise, as far as all replies came: a gateway may
 * close a connection where it likes, and pass on the beginning of a body whose end is broken.
 */
export function differences(some: readonly Outcome[], others: readonly Outcome[]): string[] {
  return some.flatMap((outcome, index) => {
    const other = others[index]!;
    if (!outcome.clean) return [];
    const replies = Math.min(outcome.statuses.length, other.statuses.length);
    const [a, b] = [outcome, other].map(({ arrived, statuses }) => {
      // Of a body that is refused some may have gone before.
      const answered = arrived.filter((request) =>
        request <= replies && statuses[request - 1] !== 400
      );
      return `${[...new Set(answered)]} / ${statuses.slice(0, replies)}`;
    });
    return a === b ? [] : [`${outcome.name}: ${a}, and ${b}`];
  });
}
