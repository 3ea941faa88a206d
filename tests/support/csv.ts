import assert from "node:assert/strict";

/** A reader of RFC 4180, section 2, that refuses everything else. */
export function parseCsv(text: string): string[][] {
  const records: string[][] = [[]];
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y;
  while (cell.lastIndex < text.length) {
    const start = cell.lastIndex;
    const match = cell.exec(text);
    assert.ok(match, `not CSV: ${JSON.stringify(text.slice(start, start + 80))}`);
    records.at(-1)!.push(match[1]?.replaceAll('""', '"') ?? match[2]!);
    if (match[3] !== ",") records.push([]);
  }
  assert.deepEqual(records.pop(), [], "the last line has no end");
  return records;
}

/** Records by the names in the first line. */
export function csvObjects(text: string): Record<string, string>[] {
  const [head, ...records] = parseCsv(text);
  for (const record of records) assert.equal(record.length, head!.length);
  return records.map((record) => Object.fromEntries(head!.map((name, i) => [name, record[i]!])));
}
