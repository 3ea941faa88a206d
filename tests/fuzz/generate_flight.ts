/** Flight number so-and-so of a seed: always the same one. */
import { faultyKinds, type ReplyKind, soundKinds } from "./backend_replies.ts";
import { Flight, idHeader, requestId } from "./flight.ts";
import { lastChunks } from "./framing_tricks.ts";
import {
  fuzzHeaders,
  fuzzHost,
  fuzzMethod,
  hostLines,
  preflightLines,
} from "./generate_headers.ts";
import { fuzzTarget } from "./generate_path.ts";
import { smuggling } from "./generate_smuggling.ts";
import { strictHabits } from "./habits.ts";
import { mutated } from "./mutate.ts";
import { Random } from "./random.ts";
import { readStream } from "./read_stream.ts";

export function generateFlight(seed: number, number: number): Flight {
  const random = new Random(seed, number);
  const id = (request: number) => requestId(number, request);
  const { name, text, statuses } = generate(random, id);
  const kinds = random.chance(0.04) ? [...faultyKinds, ...soundKinds] : soundKinds;
  const replies: ReplyKind[] = random.some<ReplyKind>(kinds, 3);
  return new Flight(number, {
    name,
    writes: pieces(random, text),
    replies: statuses === undefined ? replies : ["sized"],
    clean: isClean(text),
    ...(statuses && { statuses }),
  });
}

interface Generated {
  readonly name: string;
  readonly text: string;
  readonly statuses?: readonly number[];
}

function generate(random: Random, id: (request: number) => string): Generated {
  const choice = random.below(100);
  if (choice < 4) return plainRequest(random, id(1));
  if (choice < 55) return { name: "one request", text: fuzzRequest(random, id(1)) };
  if (choice < 68) return { name: "pipelined", text: pipelined(random, id) };
  if (choice < 88) return { name: "smuggling", text: smuggling(random, id) };
  return { name: "mutated", text: mutated(random, pipelined(random, id)) };
}

/** Every parser agrees about what the strict one takes to its end. */
export function isClean(text: string): boolean {
  const { messages, refused, until } = readStream(text, strictHabits);
  return refused === undefined && until === Infinity && messages.at(-1)?.complete === true &&
    messages.every(({ fault }) => fault === undefined);
}

/** What a gateway that refuses everything would fail on. */
function plainRequest(random: Random, id: string): Generated {
  const [host, path, status] = random.pick(
    [
      ["open.test", "/api/exact", 200],
      ["a.test", "/api/free/x", 200],
      ["a.test", "/api/exact", 402],
      ["a.test", "/docs/a%20b;c//d", 200],
      ["x.wild.test", "/x", 402],
      ["priced.test", "/health", 200],
      ["two.test", "/shop/buy/1/", 402],
      ["named.test", "/", 404],
      ["a.test", "/broken/x", 503],
    ] as const,
  );
  const text = `GET ${path}?fz=${id} HTTP/1.1\r\nHost: ${host}\r\n${idHeader}: ${id}\r\n\r\n`;
  return { name: "plain", text, statuses: [status] };
}

function fuzzRequest(random: Random, id: string): string {
  const host = fuzzHost(random);
  const isPreflight = random.chance(0.03);
  const method = isPreflight && random.chance(0.8) ? "OPTIONS" : fuzzMethod(random);
  const version = random.chance(0.97) ? "1.1" : "1.0";
  const lines = [
    `${method} ${fuzzTarget(random, host, id)} HTTP/${version}`,
    ...hostLines(random, host),
    `${idHeader}: ${id}`,
    ...fuzzHeaders(random),
    ...(isPreflight ? preflightLines(random, id) : []),
  ];
  const hasBody = /^(?:POST|PUT|PATCH)$/i.test(method) ? random.chance(0.7) : random.chance(0.04);
  return hasBody ? withBody(random, lines, `body of ${id}`) : lines.join("\r\n") + "\r\n\r\n";
}

function withBody(random: Random, lines: readonly string[], text: string): string {
  // Now and then more than any buffer on the way holds.
  const body = text.repeat(random.chance(0.04) ? random.pick([2000, 2000, 2000, 20_000]) : 1);
  if (random.chance(0.6)) {
    return [...lines, `Content-Length: ${body.length}`, "", body].join("\r\n");
  }
  const head = [...lines, "Transfer-Encoding: chunked", "", ""].join("\r\n");
  return head + chunked(random, body) + random.pick(lastChunks.slice(0, 3));
}

function chunked(random: Random, body: string): string {
  let wire = "", rest = body;
  while (rest !== "") {
    const part = rest.slice(0, 1 + random.below(body.length));
    wire += `${part.length.toString(16)}\r\n${part}\r\n`;
    rest = rest.slice(part.length);
  }
  return wire;
}

function pipelined(random: Random, id: (request: number) => string): string {
  const count = 2 + random.below(5);
  return Array.from({ length: count }, (_, index) => fuzzRequest(random, id(index + 1))).join("");
}

/** How it is written: mostly at once. */
function pieces(random: Random, text: string): string[] {
  const most = Math.min(text.length, 4000);
  const count = random.pick([0, 0, 0, 0, 1, 2]);
  const cuts = Array.from({ length: count }, () => random.below(most)).sort((a, b) => a - b);
  return [0, ...cuts].map((from, index) => text.slice(from, cuts[index] ?? text.length))
    .filter((piece) => piece !== "");
}
