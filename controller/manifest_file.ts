import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  visit,
} from "yaml";
import { type ManifestObject, readObject } from "./manifest_object.ts";
import type { ManifestError } from "./manifest_event.ts";

/** What one file holds. With an error in it the whole folder is not to be used. */
export interface ManifestFile {
  readonly objects: readonly ManifestObject[];
  readonly errors: readonly ManifestError[];
}

/**
 * Reads a file of YAML documents (JSON is YAML too), `kind: List` taken apart. Never throws.
 *
 * @param namespace of objects that name none
 */
export function parseManifestFile(
  file: string,
  text: string,
  namespace = "default",
): ManifestFile {
  const lines = new LineCounter();
  const objects: ManifestObject[] = [];
  const errors: ManifestError[] = [];
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false })
    .filter(hasContent);
  if (documents.length === 0) {
    // Taken for "nothing here", it would open all paths that the file charged for.
    const reason = "the file is empty; an editor may be about to write it, else remove it";
    return { objects: [], errors: [{ file, line: 1, reason }] };
  }
  for (const document of documents) {
    const lineAt = (offset: number) => lines.linePos(offset).line || 1;
    try {
      for (const { object, path } of topObjects(contentOf(document))) {
        const lineOf = (inner: Path) => lineAt(offsetOf(document, [...path, ...inner]));
        const read = readObject(object, file, lineOf, namespace);
        errors.push(...read.errors);
        if (read.object !== undefined) objects.push(read.object);
      }
    } catch (error) {
      if (!(error instanceof DocumentError)) throw error;
      errors.push({ file, line: lineAt(error.offset), reason: error.message });
    }
  }
  return { objects, errors };
}

type Path = readonly (string | number)[];
type FileDocument = Document.Parsed;

/** Why nothing of a document can be used, and where in the text it is. */
class DocumentError extends Error {
  constructor(message: string, readonly offset: number) {
    super(message);
  }
}

/** A document without content, as after a last `---`, is none. */
function hasContent(document: FileDocument): boolean {
  if (document.errors.length > 0) return true;
  return !isScalar(document.contents) || document.contents.value !== null;
}

/** The value of a document; throws a DocumentError. */
function contentOf(document: FileDocument): unknown {
  // One mistake makes many errors; the first one is where it is.
  const [first] = document.errors;
  if (first !== undefined) throw new DocumentError(first.message, first.pos[0]);
  try {
    return document.toJS();
  } catch (error) {
    // Aliases are expanded only here; those without an anchor throw, and too many of them do.
    throw new DocumentError((error as Error).message, looseAlias(document) ?? startOf(document));
  }
}

function startOf({ contents }: FileDocument): number {
  return contents?.range?.[0] ?? 0;
}

/** Where the first alias is that has no anchor before it. */
function looseAlias(document: FileDocument): number | undefined {
  let offset: number | undefined;
  visit(document, {
    Alias(_, alias) {
      if (alias.resolve(document) !== undefined) return;
      offset = alias.range?.[0];
      return visit.BREAK;
    },
  });
  return offset;
}

/** The objects of a document and their paths in it, lists in lists taken apart. */
function topObjects(
  object: unknown,
  path: Path = [],
  around: readonly unknown[] = [],
): { object: unknown; path: Path }[] {
  const { kind, items } = (object ?? {}) as { kind?: unknown; items?: unknown };
  // What is not read as a list here is told to be no list.
  if (kind !== "List" || !Array.isArray(items) || around.includes(object)) {
    return [{ object, path }];
  }
  return items.flatMap((item, index) =>
    topObjects(item, [...path, "items", index], [...around, object])
  );
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
