/** How a parser of HTTP/1 may differ from the next one: what it does where the grammar is not kept. */

/** A message that a parser does not take. */
export class Refused extends Error {
  /** @param at offset, in characters, of where it stopped to understand */
  constructor(readonly reason: string, readonly at: number) {
    super(reason);
  }
}

export interface ParserHabits {
  readonly name: string;
  /** Start line, header names and values, Host and version are held against the grammar. */
  readonly strict: boolean;
  /** A line feed without a carriage return. */
  readonly lf: "refused" | "ends line" | "kept";
  /** A carriage return without a line feed. */
  readonly cr: "refused" | "ends line" | "kept";
  /** A line that begins with white space (obsolete line folding). */
  readonly fold: "refused" | "joined" | "own line" | "dropped";
  /** White space between a header's name and the colon. */
  readonly nameSpace: "refused" | "trimmed" | "kept";
  /** Every transfer-encoding line to whether the body is chunked. */
  readonly coding: (values: readonly string[]) => boolean | "refused";
  /** Every content-length line to the length of the body. */
  readonly length: (values: readonly string[]) => number | undefined | "refused";
  /** Both of them. */
  readonly both: "refused" | "coding" | "length";
  /** In HTTP/1.0, where nobody has to know transfer-encoding. */
  readonly oldCoding: "refused" | "known" | "ignored";
  /** The line before a chunk to the chunk's length. */
  readonly chunkSize: (line: string) => number | "refused";
  /** What has to come after a chunk. */
  readonly chunkEnd: "CRLF" | "CRLF or LF" | "any two" | "nothing";
}

const blank = /^[ \t]+|[ \t]+$/g;
const widelyBlank = /^[\0-\x20\x7f-\xa0]+|[\0-\x20\x7f-\xa0]+$/g;

function tokens(values: readonly string[]): string[] {
  return values.flatMap((value) => value.split(","))
    .map((token) => token.replace(widelyBlank, "").toLowerCase()).filter((token) => token !== "");
}

/** RFC 9112, and where it leaves a choice, the refusal. */
export const strictHabits: ParserHabits = {
  name: "strict",
  strict: true,
  lf: "refused",
  cr: "refused",
  fold: "refused",
  nameSpace: "refused",
  coding: (values) =>
    values.length === 1 && values[0]!.replace(blank, "").toLowerCase() === "chunked" || "refused",
  length: (values) => {
    // The same again may be taken for one (RFC 9112, 6.3).
    const [text, ...others] = new Set(values.map((value) => value.replace(blank, "")));
    return others.length === 0 && /^0*\d{1,15}$/.test(text!) ? Number(text) : "refused";
  },
  both: "refused",
  oldCoding: "refused",
  chunkSize: (line) => {
    const size = /^(0*[0-9a-f]{1,12})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?$/i.exec(line)?.[1];
    return size === undefined ? "refused" : parseInt(size, 16);
  },
  chunkEnd: "CRLF",
};

/** As `parseInt` and `strtol` read: what stands in front counts. */
function leadingNumber(text: string): number | undefined {
  const digits = /^[\0-\x20]*([+-]?\d+)/.exec(text)?.[1];
  return digits === undefined ? undefined : Math.max(0, Number(digits));
}

/** Takes whatever can be taken in some way. */
const laxHabits: ParserHabits = {
  name: "lax",
  strict: false,
  lf: "ends line",
  cr: "kept",
  fold: "joined",
  nameSpace: "trimmed",
  coding: (values) => tokens(values).at(-1) === "chunked",
  length: (values) => leadingNumber(values[0]!),
  both: "coding",
  oldCoding: "known",
  chunkSize: (line) => {
    const size = /^[\0-\x20]*(?:0x)?([0-9a-f_]+)/i.exec(line)?.[1];
    return size === undefined ? "refused" : parseInt(size.replaceAll("_", ""), 16);
  },
  chunkEnd: "CRLF or LF",
};

/** Chunk sizes in a word of so many bits, the higher ones lost. */
function wrapped(bits: bigint): ParserHabits["chunkSize"] {
  return (line) => {
    const size = /^[\0-\x20]*([0-9a-f]+)/i.exec(line)?.[1];
    return size === undefined
      ? "refused"
      : Number(BigInt.asUintN(Number(bits), BigInt(`0x${size}`)));
  };
}

const differences: readonly ({ readonly name: string } & Partial<ParserHabits>)[] = [
  { name: "lax" },
  { name: "line feeds are part of values", lf: "kept" },
  { name: "line feeds refused", lf: "refused" },
  { name: "carriage returns end lines", cr: "ends line" },
  { name: "any mention of chunked", coding: (values) => /chunked/i.test(values.join()) },
  { name: "the first coding counts", coding: (values) => tokens(values)[0] === "chunked" },
  {
    name: "exactly chunked or nothing",
    coding: (values) => values.length === 1 && values[0]!.replace(blank, "") === "chunked",
  },
  {
    name: "the last coding line counts",
    coding: (values) => values.at(-1)!.replace(blank, "").toLowerCase() === "chunked",
  },
  { name: "codings unknown", coding: () => false },
  { name: "length before coding", both: "length" },
  { name: "codings unknown in 1.0", oldCoding: "ignored" },
  { name: "the last length counts", length: (values) => leadingNumber(values.at(-1)!) },
  {
    name: "the last number of a length counts",
    length: (values) => leadingNumber(values.at(-1)!.split(",").at(-1)!),
  },
  {
    name: "unclear lengths ignored",
    length: (values) => /^\d+$/.test(values[0]!.replace(blank, "")) ? Number(values[0]) : undefined,
  },
  {
    name: "lengths in 32 bits",
    length: (values) =>
      /^\s*\d+/.test(values[0]!)
        ? Number(BigInt.asUintN(32, BigInt(/\d+/.exec(values[0]!)![0])))
        : undefined,
  },
  { name: "folded lines are lines", fold: "own line" },
  { name: "folded lines dropped", fold: "dropped" },
  { name: "names with white space are other names", nameSpace: "kept" },
  { name: "chunk sizes in 32 bits", chunkSize: wrapped(32n) },
  { name: "chunk sizes in 64 bits", chunkSize: wrapped(64n) },
  { name: "whatever stands after a chunk skipped", chunkEnd: "any two" },
  { name: "nothing expected after a chunk", chunkEnd: "nothing" },
];

/** The strict parser first. */
export const parserHabits: readonly ParserHabits[] = [
  strictHabits,
  ...differences.map((difference) => ({ ...laxHabits, ...difference })),
];
