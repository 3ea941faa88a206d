import assert from "node:assert/strict";
import { join } from "node:path";
import { amounts, ingress, route, startLoop } from "./test_loop.ts";

const second = ingress.slice(0, ingress.indexOf("---")).replace("name: api", "name: aaa");
for (
  const [fault, file, text, reason] of [
    [
      "an Ingress is renamed",
      "ingress.yaml",
      ingress.replace("name: api", "name: new"),
      /not exist/,
    ],
    [
      "ingressRef is mistyped",
      "route.yaml",
      route("1").replace("ingressRef", "ingressref"),
      /cannot be/,
    ],
    [
      "ingressRef names no Ingress",
      "route.yaml",
      route("1").replace("name: api", "name: ap"),
      /not exist/,
    ],
    ["the spec is missing", "route.yaml", route("1").split("spec:")[0]!, /cannot be read/],
    [
      "an Ingress of others is named",
      "route.yaml",
      route("1").replace("name: api", "namespace: b, name: api"),
      /has to allow/,
    ],
    [
      "another Ingress has the same path",
      "second.yaml",
      second,
      /is served by Ingress default\/aaa/,
    ],
  ] as const
) {
  Deno.test(`nothing becomes free when ${fault}`, async () => {
    await using loop = await startLoop({ "ingress.yaml": ingress, "route.yaml": route("0.001") });
    await loop.snapshot();
    loop.write(file, text);
    assert.match((await loop.event("manifest-error")).reason, /^X402Route default\/paid: /);
    const reasons = loop.reported.map((event) => event.type === "manifest-error" && event.reason);
    assert.match(reasons.join("\n"), reason);
    if (file === "second.yaml") Deno.removeSync(join(loop.path, file));
    loop.write("ingress.yaml", ingress);
    loop.write("route.yaml", route("0.002"));
    assert.deepEqual(amounts(await loop.snapshot()), ["2000"], "the next one in force is right");

    await using fresh = await startLoop({
      "ingress.yaml": ingress,
      "route.yaml": route("1"),
      [file]: text,
    });
    await fresh.event("manifest-error");
    assert.ok(fresh.reported.every(({ type }) => type === "manifest-error"), "not ready");
  });
}

Deno.test("a rename of the Ingress together with a typing error opens nothing", async () => {
  await using loop = await startLoop({ "ingress.yaml": ingress, "route.yaml": route("0.001") });
  await loop.snapshot();
  loop.write("route.yaml", route("0,001").replace("name: api", "name: new"));
  loop.write("ingress.yaml", ingress.replace("name: api", "name: new"));
  await loop.event("manifest-error");
  loop.write("route.yaml", route("0.002").replace("name: api", "name: new"));
  assert.deepEqual(amounts(await loop.snapshot()), ["2000"]);
});

Deno.test("a file that is written line by line is in force only when it is whole", async () => {
  const whole = route("0.002") + '    - path: /more\n      price: "0.003"\n';
  await using loop = await startLoop({ "ingress.yaml": ingress, "route.yaml": whole });
  assert.deepEqual(amounts(await loop.snapshot()), ["2000", "3000"]);
  const lines = whole.replace("0.002", "0.004").split(/(?<=\n)/);
  for (let count = 1; count <= lines.length; count++) {
    loop.write("route.yaml", lines.slice(0, count).join(""));
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
  assert.deepEqual(amounts(await loop.snapshot()), ["4000", "3000"]);
  assert.ok(loop.reported.every(({ type }) => type === "snapshot-published"));
});

/** So many files that a change falls into the reading of them. */
function manyFiles(): Record<string, string> {
  const service = ingress.split("---\n")[1]!;
  const names = Array.from({ length: 500 }, (_, n) => `s${n}`);
  return {
    ...Object.fromEntries(names.map((name) => [
      `${name}.yaml`,
      service.replace("name: api", `name: ${name}`),
    ])),
    "ingress.yaml": ingress,
  };
}

Deno.test("what is read while a file is being written is not put in force", async () => {
  await using loop = await startLoop({ ...manyFiles(), "route.yaml": route("0.001") });
  for (let count = 0; count < 20; count++) {
    loop.write("route.yaml", route("0.002"));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  loop.write("route.yaml", route("0.003"));
  assert.deepEqual(amounts(await loop.snapshot()), ["3000"]);
});

Deno.test("what is touched while it is being read is put in force, though it stays the same", async () => {
  await using loop = await startLoop({ ...manyFiles(), "route.yaml": route("0.001") });
  for (let count = 0; count < 20; count++) {
    loop.write("route.yaml", route("0.001"));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.deepEqual(amounts(await loop.snapshot()), ["1000"]);
});
