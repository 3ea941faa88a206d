import assert from "node:assert/strict";
import { parseAllDocuments, stringify } from "yaml";

/** `UPDATE_GOLDEN=1` writes the expected files instead of comparing them; review the diff. */
const update = Deno.env.get("UPDATE_GOLDEN") === "1";

/** The documents of a YAML file; none if there is no such file. */
export function readDocuments(file: URL): unknown[] {
  try {
    return parseAllDocuments(Deno.readTextFileSync(file)).map((document) => document.toJS());
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** Compares plain data with a YAML file as parsed, so that the file may be commented and wrapped. */
export function assertGolden(actual: unknown, file: URL): void {
  const plain: unknown = JSON.parse(JSON.stringify(actual));
  if (update) Deno.writeTextFileSync(file, stringify(plain, { aliasDuplicateObjects: false }));
  const [expected] = readDocuments(file);
  assert.deepEqual(plain, expected, `differs from ${file.pathname} (UPDATE_GOLDEN=1 rewrites it)`);
}
