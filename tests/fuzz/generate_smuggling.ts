import { idHeader } from "./flight.ts";
import {
  chunkEnds,
  chunkLines,
  codingLines,
  lastChunks,
  lengthLines,
  startLines,
} from "./framing_tricks.ts";
import type { Random } from "./random.ts";

/** A request that hides another one in its body, or would if somebody read its framing that way. */
export function smuggling(random: Random, id: (request: number) => string): string {
  const host = random.pick(["a.test", "open.test", "priced.test"]);
  const target = `/api/free/x?fz=${id(1)}`;
  const hidden =
    `GET /vault/key?fz=${id(2)} HTTP/1.1\r\nHost: a.test\r\n${idHeader}: ${id(2)}\r\n` +
    random.pick(["\r\n", "\r\n", "X: ", "Content-Length: 3\r\n\r\nabc"]);
  const after = random.chance(0.6)
    ? `GET /docs/x?fz=${id(3)} HTTP/1.1\r\nHost: ${host}\r\n${idHeader}: ${id(3)}\r\n\r\n`
    : "";
  const method = random.pick(["POST", "POST", "POST", "GET", "PUT"]);
  const start = random.chance(0.2)
    ? random.pick(startLines(method, target))
    : `${method} ${target} HTTP/1.1`;
  const body = random.chance(0.5) ? chunkedHiding(random, hidden) : hidden;
  const framing = framingLines(random, body.length, hidden.length);
  const head = [start, `Host: ${host}`, `${idHeader}: ${id(1)}`, ...framing];
  const lineEnd = random.chance(0.95) ? "\r\n" : random.pick(["\n", "\r", "\r\r\n", "\n\r"]);
  return head.join(lineEnd) + lineEnd + lineEnd + body + after;
}

function framingLines(random: Random, whole: number, hidden: number): string[] {
  const length = random.pick([whole, hidden, 0, 4, whole + 5]);
  const coding = random.pick(random.chance(0.5) ? codingLines : codingLines.slice(0, 1));
  const size = random.pick(
    random.chance(0.6) ? lengthLines(length) : [`Content-Length: ${length}`],
  );
  return random.pick([[coding], [size], [coding, size], [size, coding]]);
}

/** Chunks that end where somebody thinks so, with the hidden request in one of them or after them. */
function chunkedHiding(random: Random, hidden: string): string {
  const { length } = hidden;
  const line = (size: number) =>
    random.chance(0.5) ? random.pick(chunkLines(size)) : `${size.toString(16)}\r\n`;
  const end = () => random.chance(0.7) ? "\r\n" : random.pick(chunkEnds);
  const last = () => random.chance(0.7) ? "0\r\n\r\n" : random.pick(lastChunks);
  switch (random.below(4)) {
    case 0:
      return last() + hidden;
    case 1:
      return line(length) + hidden + end() + last();
    case 2:
      return line(3) + "abc" + end() + last() + hidden;
    default:
      return line(3) + "abc" + end() + line(length) + hidden + end() + last();
  }
}
