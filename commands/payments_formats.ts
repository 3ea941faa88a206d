import { printable } from "./pay_terminal.ts";

/** One column of what is printed: its name, and its value in a row; absent values are told as such. */
export interface Column<Row> {
  readonly name: string;
  readonly of: (row: Row) => string | number | undefined;
}

/** What a row of these columns looks like in each output format; lines with their ends. */
export type RowFormat = <Row>(
  columns: readonly Column<Row>[],
  rows: AsyncIterable<Row>,
) => AsyncIterable<string>;

export const outputFormats = ["table", "json", "csv"] as const;
export type OutputFormat = (typeof outputFormats)[number];

export const rowFormats: Readonly<Record<OutputFormat, RowFormat>> = { table, json, csv };

/** Rows by which the width of the columns is found; the others may stand out. */
const measuredRows = 1_000;

/** For a terminal: nothing at all when there are no rows. */
async function* table<Row>(columns: readonly Column<Row>[], rows: AsyncIterable<Row>) {
  const head = columns.map(({ name }) => name.toUpperCase());
  let waiting: string[][] = [];
  let widths: number[] | undefined;
  const aligned = (cells: readonly string[]) =>
    cells.map((cell, i) => cell.padEnd(widths![i]!)).join("  ").trimEnd() + "\n";
  const flush = () => {
    const lines = [head, ...waiting];
    widths = head.map((_, i) => Math.max(...lines.map((cells) => cells[i]!.length)));
    waiting = [];
    return lines.map(aligned).join("");
  };
  for await (const row of rows) {
    // An empty cell would move the rest of the line in the eyes of `awk`.
    const cells = columns.map(({ of }) => printable(String(of(row) ?? "")) || "-");
    if (widths !== undefined) yield aligned(cells);
    else if (waiting.push(cells) === measuredRows) yield flush();
  }
  if (waiting.length > 0) yield flush();
}

/** One array, one object a line; its end is missing when something went wrong on the way. */
async function* json<Row>(columns: readonly Column<Row>[], rows: AsyncIterable<Row>) {
  let before = "[\n";
  for await (const row of rows) {
    const object = Object.fromEntries(columns.map(({ name, of }) => [name, of(row) ?? null]));
    yield `${before}  ${escaped(JSON.stringify(object))}`;
    before = ",\n";
  }
  yield before === "[\n" ? "[]\n" : "\n]\n";
}

/** A reader gets the same text back, and a terminal nothing that it obeys. */
function escaped(jsonText: string): string {
  return jsonText.replace(
    /[\p{Cc}\p{Cf}]/gu,
    (character) =>
      character.split("").map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
        .join(""),
  );
}

/** RFC 4180, so CRLF: what imports CSV expects it, and who has Unix tools has JSON. */
async function* csv<Row>(columns: readonly Column<Row>[], rows: AsyncIterable<Row>) {
  yield csvLine(columns.map(({ name }) => name));
  for await (const row of rows) yield csvLine(columns.map(({ of }) => String(of(row) ?? "")));
}

function csvLine(cells: readonly string[]): string {
  return cells.map(csvCell).join(",") + "\r\n";
}

/**
 * Spreadsheets run what begins like a formula, and strangers choose some of these texts: owners of
 * routes their patterns, facilitators the reasons. A `'` in front makes it text; control characters
 * are spaces, so that a record is one line.
 */
function csvCell(text: string): string {
  const plain = printable(text);
  const harmless = /^\s*[=+\-@＝＋－＠]/.test(plain) ? `'${plain}` : plain;
  return /[",]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
