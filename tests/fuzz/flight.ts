/** What goes over one client connection at a time: one request, several, or what looks like some. */
import { parserHabits } from "./habits.ts";
import { type ReadMessage, type ReadStream, readStream } from "./read_stream.ts";
import type { ReplyKind } from "./backend_replies.ts";

export interface FlightPlan {
  /** Of a named case its name, else how it was generated. */
  readonly name: string;
  /** What is sent, in pieces that are written one by one; one character a byte. */
  readonly writes: readonly string[];
  /** How the backend answers each request, in turn. */
  readonly replies: readonly ReplyKind[];
  /**
   * Every parser agrees about it: it may go over a connection that was used before and will be used
   * again, and every request of it has to be answered.
   */
  readonly clean: boolean;
  /** The statuses of the replies, where that is known. */
  readonly statuses?: readonly number[];
}

/** Without digits: no odd byte put into an id makes another one of it. */
const idPattern = /flight-([A-J]{7})-([A-J])/;

/** Every request has one, in its query and in a header; all have the same length. */
export function requestId(flight: number, request: number): string {
  return `flight-${letters(String(flight % 1e7).padStart(7, "0"))}-${
    letters(String(request % 10))
  }`;
}

function letters(digits: string): string {
  return digits.replace(/\d/g, (digit) => "ABCDEFGHIJ"[Number(digit)]!);
}

/** Number of the flight of the first request id in a text. */
export function flightOf(text: string): number | undefined {
  const found = idPattern.exec(text)?.[1];
  if (found === undefined) return undefined;
  return Number(found.replace(/[A-J]/g, (letter) => String("ABCDEFGHIJ".indexOf(letter))));
}

/** The header that carries the id. */
export const idHeader = "x-fuzz-id";

/** All ids in a text. */
export function mentionedIds(text: string): string[] {
  return [...text.matchAll(new RegExp(idPattern, "g"))].map(([id]) => id);
}

/** The ids that a request has: in its target, in its header, else in whatever is left of it. */
export function idsOf({ target, headers }: Pick<ReadMessage, "target" | "headers">): string[] {
  const inTarget = idPattern.exec(target)?.[0];
  const inHeader = headers.filter(([name, value]) => name === idHeader && idPattern.test(value))
    .map(([, value]) => value);
  const ids = inTarget === undefined ? inHeader : [inTarget, ...inHeader];
  if (ids.length > 0) return ids;
  return headers.flatMap(([, value]) => idPattern.exec(value)?.[0] ?? []).slice(0, 1);
}

export class Flight {
  readonly text: string;
  /** Ids of the requests that reached the backend, in order. */
  readonly seen: string[] = [];
  /** Ids of CORS preflights of what costs something. */
  readonly preflights = new Set<string>();
  #readings: readonly ReadStream[] | undefined;
  #strict: ReadStream | undefined;

  constructor(readonly number: number, readonly plan: FlightPlan) {
    this.text = plan.writes.join("");
  }

  /** What the strict parser makes of it. */
  get strict(): ReadStream {
    return this.#strict ??= readStream(this.text, parserHabits[0]!);
  }

  /** What all parsers make of it, the strict one first. */
  get readings(): readonly ReadStream[] {
    // The others differ only in what is not valid.
    if (this.plan.clean && this.strict.refused === undefined) return [this.strict];
    return this.#readings ??= parserHabits.map((habits, index) =>
      index === 0 ? this.strict : readStream(this.text, habits)
    );
  }

  /** Of the requests, in order, as far as it can be told where what is not valid has ended. */
  get methods(): readonly string[] {
    const [strict, lax] = this.readings;
    const { messages } = strict!.refused === undefined ? strict! : lax!;
    return messages.map(({ method }) => method);
  }

  /** The request with that id, as each parser has it that has one. */
  sent(id: string): ReadMessage[] {
    return this.readings.flatMap(({ messages }) =>
      messages.find((message) => idsOf(message)[0] === id) ?? []
    );
  }

  /** How many requests with that id there are, to the parser that finds most. */
  count(id: string): number {
    return Math.max(
      ...this.readings.map(({ messages }) =>
        messages.filter((message) => idsOf(message)[0] === id).length
      ),
    );
  }

  /** More replies than that nobody has asked for, an error apart. */
  get mostMessages(): number {
    return Math.max(...this.readings.map(({ messages }) => messages.length));
  }

  replyKind(id: string): ReplyKind {
    const { replies } = this.plan;
    return replies[(id.charCodeAt(id.length - 1) - 65) % replies.length] ?? "sized";
  }
}
