import { z } from "zod";
import { closestName } from "./closest_name.ts";
import type { Problem } from "./x402route.ts";

type Path = readonly (string | number)[];

const longestExcerpt = 60;

/**
 * What zod found, as sentences that say where, what was found and what is allowed. `raw` is the
 * value that was parsed with `schema`. An issue about unknown fields becomes one problem per field.
 */
export function describeIssue(issue: z.core.$ZodIssue, raw: unknown, schema: z.ZodType): Problem[] {
  const path = issue.path as Path; // YAML and JSON have no symbols as keys
  const where = fieldName(path);
  if (issue.code === "unrecognized_keys") {
    const allowed = fieldNames(schema, path);
    return issue.keys.map((key) => ({
      path: [...path, key],
      message: `${where} has no field ${excerpt(key)}${suggestion(key, allowed)}; ` +
        `allowed: ${allowed.join(", ")}`,
    }));
  }
  const found = valueAt(raw, path);
  const type = issue.code === "invalid_type" && typeof found === "number" ? ", a number" : "";
  const what = `${describeValue(found)}${type}`;
  return [{ path, message: `${where} is ${what}; ${requirement(issue, found)}` }];
}

function requirement(issue: z.core.$ZodIssue, found: unknown): string {
  switch (issue.code) {
    case "invalid_type":
      return typeRequirement(issue.expected, found);
    case "invalid_value":
      return issue.values.length === 1
        ? `it must be ${JSON.stringify(issue.values[0])}`
        : `allowed: ${issue.values.map((value) => JSON.stringify(value)).join(", ")}`;
    case "too_small":
      if (issue.origin === "string") return "it needs at least one character";
      if (issue.origin === "array") return `it needs at least ${entries(issue.minimum)}`;
      return `the smallest allowed value is ${issue.minimum}`;
    case "too_big":
      if (issue.origin === "string") return `at most ${issue.maximum} characters are allowed`;
      if (issue.origin === "array") return `at most ${entries(issue.maximum)} are allowed`;
      return `the largest allowed value is ${issue.maximum}`;
    default:
      return issue.message;
  }
}

function typeRequirement(expected: string, found: unknown): string {
  if (expected === "string" && typeof found === "number") {
    // The quoted text is the number as parsed; an exponent is not how a user wrote a price.
    return /e/.test(`${found}`) ? "write it in quotes" : `write it as a string: "${found}"`;
  }
  if (expected === "string" && typeof found === "boolean") {
    return `write it as a string: "${found}"`;
  }
  if (expected === "boolean" && (found === "true" || found === "false")) {
    return `write it without quotes: ${found}`;
  }
  const isWholeNumber = expected === "number" || expected === "int";
  if (isWholeNumber && typeof found === "string" && /^[0-9]+$/.test(found)) {
    return `write it without quotes: ${found}`;
  }
  if (isWholeNumber) return "it must be a whole number";
  if (expected === "boolean") return "it must be true or false";
  if (expected === "array") return "it must be a list";
  return expected === "string" ? "it must be a string" : "it must be an object";
}

function describeValue(found: unknown): string {
  if (found === undefined) return "missing";
  if (typeof found === "string") return found === "" ? "empty" : excerpt(found);
  if (Array.isArray(found)) return found.length === 0 ? "an empty list" : "a list";
  return typeof found === "object" && found !== null ? "an object" : String(found);
}

function entries(count: number | bigint): string {
  return count === 1 ? "1 entry" : `${count} entries`;
}

function excerpt(text: string): string {
  return JSON.stringify(
    text.length > longestExcerpt ? `${text.slice(0, longestExcerpt)}...` : text,
  );
}

function suggestion(key: string, allowed: readonly string[]): string {
  const meant = closestName(key, allowed);
  return meant === undefined ? "" : ` (did you mean "${meant}"?)`;
}

/** The path as people write it: `spec.routes[2].price`, `metadata.labels["a.b/c"]`. */
/** A field as people write it: `spec.routes[2].price`. */
export function fieldName(path: Path): string {
  if (path.length === 0) return "the manifest";
  return path.map((key, depth) => {
    if (typeof key === "number") return `[${key}]`;
    if (!/^\w+$/.test(key)) return `[${excerpt(key)}]`;
    return depth === 0 ? key : `.${key}`;
  }).join("");
}

function valueAt(raw: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<string, unknown>)?.[key], raw);
}

/** Names of the fields of the object schema at `path`. */
function fieldNames(schema: z.ZodType, path: Path): string[] {
  const object = path.reduce<z.ZodType>((parent, key) => {
    const at = unwrapped(parent);
    return (at instanceof z.ZodArray ? at.element : (at as z.ZodObject).shape[key]) as z.ZodType;
  }, schema);
  return Object.keys((unwrapped(object) as z.ZodObject).shape);
}

function unwrapped(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodExactOptional ? unwrapped(schema.unwrap() as z.ZodType) : schema;
}
