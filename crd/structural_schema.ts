import { z } from "zod";

/** The part of OpenAPI v3 that Kubernetes calls a structural schema, as far as ours needs it. */
export interface StructuralSchema {
  readonly type: "object" | "array" | "string" | "integer" | "boolean";
  readonly description: string;
  readonly properties?: Readonly<Record<string, StructuralSchema>>;
  readonly required?: readonly string[];
  readonly items?: StructuralSchema;
  readonly enum?: readonly string[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly "x-kubernetes-validations"?: readonly CelRule[];
  /** Keywords that are only passed through. */
  readonly [keyword: string]: unknown;
}

export interface CelRule {
  readonly rule: string;
  readonly message: string;
  readonly fieldPath: string;
}

/** Keywords that the API server knows, in the order in which they are written. */
const keywords = [
  "type",
  "description",
  "format",
  "default",
  "enum",
  "pattern",
  "minLength",
  "maxLength",
  "minimum",
  "maximum",
  "minItems",
  "maxItems",
  "required",
  "x-kubernetes-list-type",
  "x-kubernetes-list-map-keys",
  "x-kubernetes-validations",
  "properties",
  "items",
];

/**
 * Turns a zod schema into a structural schema.
 * Throws an Error that names the place when the API server would refuse what the schema says there.
 */
export function structuralSchema(schema: z.ZodType): StructuralSchema {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io: "input" });
  return convert(json, "the schema");
}

function convert(json: z.core.JSONSchema.BaseSchema, where: string): StructuralSchema {
  // Strict objects: the API server prunes unknown fields and refuses to be told so.
  const { additionalProperties: _, ...rest } = json;
  const unknown = Object.keys(rest).find((keyword) => !keywords.includes(keyword));
  if (unknown !== undefined) {
    throw new Error(`${where} uses ${unknown}, which a structural schema cannot express`);
  }
  if (typeof json.type !== "string") {
    throw new Error(`${where} has no single type, which a structural schema needs`);
  }
  const converted: Record<string, unknown> = {};
  for (const keyword of keywords) {
    const value = rest[keyword];
    if (value !== undefined && value !== Number.MAX_SAFE_INTEGER) converted[keyword] = value;
  }
  // JavaScript escapes the slash in a pattern's source; Go's regular expressions need no escape.
  if (json.pattern !== undefined) converted["pattern"] = json.pattern.replaceAll("\\/", "/");
  if (json.items !== undefined) {
    converted["items"] = convert(json.items as z.core.JSONSchema.BaseSchema, `${where}[]`);
  }
  if (json.properties !== undefined) {
    converted["properties"] = Object.fromEntries(
      Object.entries(json.properties).map(([name, property]) => [
        name,
        convert(property as z.core.JSONSchema.BaseSchema, `${where}.${name}`),
      ]),
    );
  }
  return converted as unknown as StructuralSchema;
}
