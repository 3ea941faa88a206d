import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
} from "yaml";
import { type ManifestObject, readObject } from "./manifest_object.ts";
import type { ManifestError } from "./manifest_event.ts";

/** What one file holds. With an error in it the whole folder is not to be used. */
export interface ManifestFile {
  readonly objects: readonly ManifestObject[];
  readonly errors: readonly ManifestError[];
}

/** Reads a file of YAML documents (JSON is YAML too), `kind: List` taken apart. Never throws. */
export function parseManifestFile(file: string, text: string): ManifestFile {
  if (text.trim() === "") {
    // Taken for "nothing here", it would open all paths that the file charged for.
    const reason = "the file is empty; an editor may be about to write it, else remove it";
    return { objects: [], errors: [{ file, line: 1, reason }] };
  }
  const lines = new LineCounter();
  const objects: ManifestObject[] = [];
  const errors: ManifestError[] = [];
  for (const document of parseAllDocuments(text, { lineCounter: lines, prettyErrors: false })) {
    const lineAt = (offset: number) => lines.linePos(offset).line || 1;
    for (const { pos, message } of document.errors) {
      errors.push({ file, line: lineAt(pos[0]), reason: message });
    }
    if (document.errors.length > 0 || document.contents === null) continue;
    const line = lineAt(document.contents.range[0]);
    const value = toValue(document, (reason) => errors.push({ file, line, reason }));
    for (const { object, path } of topObjects(value)) {
      const lineOf = (inner: Path) => lineAt(offsetOf(document as Document, [...path, ...inner]));
      const read = readObject(object, file, lineOf);
      errors.push(...read.errors);
      if (read.object !== undefined) objects.push(read.object);
    }
  }
  return { objects, errors };
}

type Path = readonly (string | number)[];

/** Aliases are resolved only here, and too many of them throw. */
function toValue(document: { toJS(): unknown }, fail: (reason: string) => void): unknown {
  try {
    return document.toJS();
  } catch (error) {
    fail(error instanceof Error ? error.message : String(error));
    return null;
  }
}

/** The objects of a document and their paths in it; a document without content has none. */
function topObjects(value: unknown): { object: unknown; path: Path }[] {
  if (value === null) return [];
  const { kind, items } = value as { kind?: unknown; items?: unknown };
  if (kind !== "List" || !Array.isArray(items)) return [{ object: value, path: [] }];
  return items.map((object, index) => ({ object, path: ["items", index] }));
}

/** Where the field is written, or else the innermost object around it. */
function offsetOf(document: Document, path: Path): number {
  let node: unknown = document.contents;
  let offset = (node as Node).range?.[0] ?? 0;
  for (const key of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && item.key.value === key);
      if (pair === undefined) break;
      offset = (pair.key as Node).range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node) && typeof key === "number") {
      node = node.items[key];
      offset = (node as Node | undefined)?.range?.[0] ?? offset;
    } else break;
  }
  return offset;
}
