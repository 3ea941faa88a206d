import assert from "node:assert/strict";
import { parse } from "yaml";
import { crossFieldRules } from "./cross_field_rules.ts";
import { crdManifest, customResourceDefinition } from "./crd_manifest.ts";
import type { StructuralSchema } from "./structural_schema.ts";

const [version] = customResourceDefinition().spec.versions;
const { spec, status } = version!.schema.openAPIV3Schema.properties;
const parts: Record<string, StructuralSchema> = { spec, status };

/** Every schema at and below `schema`, with its name. */
function* schemasOf(schema: StructuralSchema, name: string): Iterable<[string, StructuralSchema]> {
  yield [name, schema];
  if (schema.items !== undefined) yield* schemasOf(schema.items, `${name}[]`);
  for (const [property, child] of Object.entries(schema.properties ?? {})) {
    yield* schemasOf(child, `${name}.${property}`);
  }
}

const all = Object.entries(parts).flatMap(([name, schema]) => [...schemasOf(schema, name)]);

Deno.test("every field of the CRD has a type and, unless it is a plain list entry, a description", () => {
  for (const [name, schema] of all) {
    assert(schema.type, `${name} has no type`);
    if (name.endsWith("[]") && schema.type !== "object") continue;
    assert(schema.description, `${name} has no description`);
  }
});

Deno.test("every list and string below a CEL rule is bounded, so that its cost is", () => {
  for (const [name, schema] of schemasOf(spec, "spec")) {
    const bounded = schema["maxLength"] ?? schema.enum ?? schema["pattern"];
    if (schema.type === "string") assert(bounded !== undefined, `${name} has no maxLength`);
    if (schema.type === "array") assert(schema["maxItems"], `${name} has no maxItems`);
  }
});

Deno.test("required fields and defaults exclude each other", () => {
  for (const [name, schema] of all) {
    for (const field of schema.required ?? []) {
      assert(schema.properties?.[field], `${name} requires ${field}, which it does not have`);
      assert.equal(schema.properties[field].default, undefined, `${name}.${field}`);
    }
  }
});

Deno.test("CEL rules name only fields that their object declares, and every rule is in the CRD", () => {
  const placed: string[] = [];
  for (const [name, schema] of all) {
    for (const { rule, fieldPath } of schema["x-kubernetes-validations"] ?? []) {
      placed.push(rule);
      const fields = [...rule.matchAll(/self\.(\w+)/g)].map(([, field]) => field!);
      for (const field of [...fields, fieldPath.slice(1)]) {
        assert(schema.properties?.[field], `a rule of ${name} names ${field}`);
      }
    }
  }
  const rules = Object.values(crossFieldRules).map(({ cel }) => cel);
  assert.deepEqual(placed.sort(), rules.sort());
});

Deno.test("printer columns show fields that exist", () => {
  for (const { name, jsonPath } of version!.additionalPrinterColumns) {
    const [part, ...fields] = jsonPath.slice(1).split(".");
    if (part === "metadata") continue;
    const at = fields.reduce<StructuralSchema | undefined>(
      (schema, field) => schema?.properties?.[field],
      parts[part!],
    );
    assert(at, `the column ${name} shows ${jsonPath}`);
  }
});

Deno.test("status conditions are a map by type, as kubectl wait and server-side apply expect", () => {
  const conditions = status.properties!["conditions"]!;
  assert.equal(conditions["x-kubernetes-list-type"], "map");
  assert.deepEqual(conditions["x-kubernetes-list-map-keys"], ["type"]);
  assert(conditions.items!.required!.includes("type"));
});

Deno.test("the YAML says the same as the object", () => {
  assert.deepEqual(parse(crdManifest()), JSON.parse(JSON.stringify(customResourceDefinition())));
});
