/** What the chart's values.yaml says, with the comments that describe it. */
import { parse } from "yaml";

/** One value of the chart that has a description, or a group of them. */
export interface ChartValue {
  /** Such as `ledger.sqlite.size`. */
  readonly path: string;
  /** The comment that begins with `# -- `; absent for a group whose members have their own. */
  readonly description?: string;
  readonly initial: unknown;
}

/**
 * The values in the order of the file: all groups and their members down to where a description is.
 *
 * @param text of values.yaml, in block style where there are descriptions
 */
export function chartValues(text: string): ChartValue[] {
  const root: unknown = parse(text);
  const values: ChartValue[] = [];
  const parents: { readonly indent: number; readonly path: string; readonly isTold: boolean }[] =
    [];
  let comment: string[] = [];
  for (const line of text.split("\n")) {
    const [, indentation = "", words] = /^( *)# ?(.*)$/.exec(line) ?? [];
    if (words !== undefined) {
      // A comment without the mark is for those who read the file.
      if (words.startsWith("-- ")) comment = [words.slice(3)];
      else if (comment.length > 0) comment.push(words);
      continue;
    }
    const [, spaces = indentation, key] = /^( *)([A-Za-z]\w*):/.exec(line) ?? [];
    const description = comment.join(" ");
    comment = [];
    if (key === undefined) continue;
    while ((parents.at(-1)?.indent ?? -1) >= spaces.length) parents.pop();
    const parent = parents.at(-1);
    const path = parent === undefined ? key : `${parent.path}.${key}`;
    const isTold = description !== "" || (parent?.isTold ?? false);
    parents.push({ indent: spaces.length, path, isTold });
    if (parent?.isTold && description === "") continue;
    values.push({ path, ...(description && { description }), initial: at(root, path) });
  }
  return values;
}

function at(root: unknown, path: string): unknown {
  return path.split(".").reduce(
    (value, key) => (value as Record<string, unknown> | undefined)?.[key],
    root,
  );
}
