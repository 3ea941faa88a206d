import assert from "node:assert/strict";
import { z } from "zod";
import { structuralSchema } from "./structural_schema.ts";

Deno.test("structuralSchema drops what the API server refuses and keeps the rest", () => {
  const schema = z.strictObject({
    path: z.string().regex(/^\/api/).describe("A path."),
    // A field may be called like a keyword.
    description: z.string().exactOptional().describe("Text."),
    count: z.int().min(1).default(2).describe("A count."),
  }).describe("An object.");
  assert.deepEqual(structuralSchema(schema), {
    type: "object",
    description: "An object.",
    required: ["path"],
    properties: {
      path: { type: "string", description: "A path.", pattern: "^/api" },
      description: { type: "string", description: "Text." },
      count: { type: "integer", description: "A count.", default: 2, minimum: 1 },
    },
  });
});

const inexpressible: [name: string, schema: z.ZodType, message: string][] = [
  [
    "a union of objects",
    z.object({ list: z.array(z.union([z.object({ a: z.string() }), z.string()])) }),
    "the schema.list[] uses anyOf, which a structural schema cannot express",
  ],
  [
    "several types",
    z.object({ either: z.union([z.string(), z.boolean()]) }),
    "the schema.either has no single type, which a structural schema needs",
  ],
  [
    "an exclusive bound",
    z.object({ price: z.number().positive() }),
    "the schema.price uses exclusiveMinimum, which a structural schema cannot express",
  ],
];

for (const [name, schema, message] of inexpressible) {
  Deno.test(`structuralSchema refuses ${name}`, () => {
    assert.throws(() => structuralSchema(schema), { message });
  });
}
