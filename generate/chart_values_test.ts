import assert from "node:assert/strict";
import { chartSchema } from "./chart_schema.ts";
import { chartValues } from "./chart_values.ts";

const text = `# A comment for readers.
# -- Pods. More than one
# asks for more.
replicas: 1

group:
  # -- A name.
  name: ""
  inner:
    # -- Told as a whole.
    whole:
      deep: [a, b]
    # Not told.
    untold: x
  # -- After it.
  after: true
`;

Deno.test("chartValues reads each value, with the comment that is marked as its description", () => {
  assert.deepEqual(chartValues(text), [
    { path: "replicas", description: "Pods. More than one asks for more.", initial: 1 },
    {
      path: "group",
      initial: { name: "", inner: { whole: { deep: ["a", "b"] }, untold: "x" }, after: true },
    },
    { path: "group.name", description: "A name.", initial: "" },
    { path: "group.inner", initial: { whole: { deep: ["a", "b"] }, untold: "x" } },
    { path: "group.inner.whole", description: "Told as a whole.", initial: { deep: ["a", "b"] } },
    { path: "group.inner.untold", initial: "x" },
    { path: "group.after", description: "After it.", initial: true },
  ]);
});

Deno.test("chartSchema refuses a value whose type it cannot know, and types of no value", () => {
  const number = { path: "odd", description: "Odd.", initial: 1 };
  assert.throws(() => chartSchema([number]), /^Error: odd: the schema of this value is not known/);
  const name = { path: "name", description: "A name.", initial: "" };
  assert.throws(() => chartSchema([name]), /^Error: values\.yaml has no commonLabels, replicas,/);
});
