import assert from "node:assert/strict";
import { HeaderFields } from "./header_fields.ts";

function sample(): HeaderFields {
  return HeaderFields.of([["a", "1"], ["b", "2"], ["a", "3"], ["cookie", "x=1"], [
    "cookie",
    "y=2",
  ]]);
}

Deno.test("lines of one name are one value; those of cookies are joined by semicolons", () => {
  const fields = sample();
  assert.equal(fields.get("a"), "1, 3");
  assert.equal(fields.get("b"), "2");
  assert.equal(fields.get("cookie"), "x=1; y=2");
  assert.equal(fields.get("c"), null);
  assert.deepEqual([fields.has("a"), fields.has("c")], [true, false]);
  assert.deepEqual([fields.count("a"), fields.count("b"), fields.count("c")], [2, 1, 0]);
});

Deno.test("a value is no name", () => {
  const fields = HeaderFields.of([["a", "b"], ["c", "a"]]);
  assert.deepEqual([fields.get("b"), fields.has("b"), fields.count("b")], [null, false, 0]);
  fields.delete("b");
  fields.delete("a");
  assert.deepEqual([...fields], [["c", "a"]]);
});

Deno.test("set replaces all lines of a name, delete removes them, others keep their order", () => {
  const fields = sample();
  fields.set("a", "9");
  assert.deepEqual([...fields].slice(0, 1), [["b", "2"]]);
  assert.equal(fields.get("a"), "9");
  fields.delete("cookie");
  fields.delete("nothing");
  assert.deepEqual([...fields], [["b", "2"], ["a", "9"]]);
});

Deno.test("neighbouring lines of one name are all removed", () => {
  const fields = HeaderFields.of([["a", "1"], ["a", "2"], ["a", "3"], ["b", "4"]]);
  fields.delete("a");
  assert.deepEqual([...fields], [["b", "4"]]);
});

Deno.test("every line comes as it came, in order, both ways to look at them", () => {
  const expected = [["a", "1"], ["b", "2"], ["a", "3"], ["cookie", "x=1"], ["cookie", "y=2"]];
  const seen: string[][] = [];
  sample().forEach((value, name) => seen.push([name, value]));
  assert.deepEqual(seen, expected);
  assert.deepEqual([...sample()], expected);
});

Deno.test("a copy is independent", () => {
  const fields = sample();
  const copy = HeaderFields.of(fields);
  copy.append("c", "4");
  assert.equal(fields.has("c"), false);
});
