import { type ParserHabits, Refused } from "./habits.ts";
import type { LineReader } from "./read_lines.ts";

export interface MessageHead {
  /** Why the strict parser would answer it with 400, although its end is beyond doubt. */
  readonly fault?: string;
  readonly method: string;
  readonly target: string;
  /** `1.1`; `0.9` where the line does not end with a version. */
  readonly version: string;
  /** In order; names in lower case, as the parser has them. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/;
/** Bytes beyond ASCII in targets are against RFC 3986, and what browsers of old sent. */
const startLine = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\x7e\x80-\xff]+) HTTP\/(1\.[01])$/;
/** RFC 9110, 7.2 and RFC 3986, 3.2.2, without the characters that no host has. */
const hostPort = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;

/**
 * A request's head; undefined when the text ends before the head does.
 * @throws {Refused}
 */
export function readHead(lines: LineReader): MessageHead | undefined {
  const { habits } = lines;
  lines.skipEmptyLines();
  const at = lines.at;
  const first = lines.next();
  if (first === undefined) return undefined;
  const line = habits.strict ? strictStart(first, at) : laxStart(first, at);
  if (line.version === "0.9") return { ...line, headers: [] };
  const headers = readFields(lines);
  if (headers === undefined) return undefined;
  const head = { ...line, headers };
  const fault = habits.strict ? hostFault(head) ?? targetFault(head) : undefined;
  return fault === undefined ? head : { ...head, fault };
}

/**
 * Header or trailer lines up to the empty one; undefined when the text ends before.
 * @throws {Refused}
 */
export function readFields(lines: LineReader): [string, string][] | undefined {
  const { habits } = lines;
  const fields: [string, string][] = [];
  for (;;) {
    const at = lines.at;
    const line = lines.next();
    if (line === undefined) return undefined;
    if (line === "") return fields;
    if (/^[ \t]/.test(line) && habits.fold !== "own line") {
      if (habits.fold === "refused") throw new Refused("a folded line", at);
      const before = fields.at(-1);
      if (habits.fold === "joined" && before) before[1] += " " + line.trim();
      continue;
    }
    const field = readField(line, at, habits);
    if (field !== undefined) fields.push(field);
  }
}

function readField(line: string, at: number, habits: ParserHabits): [string, string] | undefined {
  const colon = line.indexOf(":");
  if (colon < 0) {
    if (habits.strict) throw new Refused("a header line without a colon", at);
    return undefined;
  }
  let name = line.slice(0, colon).toLowerCase();
  const value = line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, "");
  if (habits.strict) {
    if (!token.test(name)) throw new Refused("a header name that is no token", at);
    if (!fieldValue.test(value)) throw new Refused("a control character in a value", at);
  }
  if (habits.nameSpace === "trimmed") name = name.replace(/^[\0-\x20]+|[\0-\x20]+$/g, "");
  return [name, value];
}

function strictStart(line: string, at: number): Omit<MessageHead, "headers"> {
  const [, method, target, version] = startLine.exec(line) ?? [];
  if (method === undefined) throw new Refused("a malformed request line", at);
  return { method, target: target!, version: version! };
}

function laxStart(line: string, at: number): Omit<MessageHead, "headers"> {
  const words = line.trim().split(/[\t\v\f\r ]+/);
  const version = /^HTTP\/(\d+(?:\.\d+)?)/i.exec(words.at(-1)!)?.[1];
  const [method, ...target] = version === undefined ? words : words.slice(0, -1);
  if (method === undefined || target.length === 0) throw new Refused("no request line", at);
  return { method, target: target.join(" "), version: version ?? "0.9" };
}

/** RFC 9112, 3.2: exactly one Host, and a valid one. */
function hostFault({ headers, version }: MessageHead): string | undefined {
  const hosts = headers.filter(([name]) => name === "host");
  if (hosts.length === 0 && version === "1.0") return undefined;
  if (hosts.length !== 1) return `${hosts.length} Host lines`;
  return hostPort.test(hosts[0]![1]) ? undefined : "a Host that is none";
}

/** RFC 9112, 3.2: of the four forms, those that the method may have. */
function targetFault({ method, target }: MessageHead): string | undefined {
  if (target.includes("#")) return "a target with a fragment";
  if (target.startsWith("/") || target === "*" && method === "OPTIONS") return undefined;
  const authority = /^https?:\/\/([^/?]*)(?:[/?]|$)/i.exec(target)?.[1];
  return authority !== undefined && hostPort.test(authority) ? undefined : "a malformed target";
}
