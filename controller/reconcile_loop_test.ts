import assert from "node:assert/strict";
import { join } from "node:path";
import { amounts, ingress, route, startLoop } from "./test_loop.ts";

Deno.test("a changed file is live within 100 ms", async () => {
  await using loop = await startLoop({ "ingress.yaml": ingress, "route.yaml": route("0.001") });
  assert.deepEqual(amounts(await loop.snapshot()), ["1000"]);
  for (
    const [price, amount] of [["0.002", "2000"], ["0.003", "3000"], ["0.004", "4000"]] as const
  ) {
    const written = performance.now();
    loop.write("route.yaml", route(price));
    assert.deepEqual(amounts(await loop.snapshot()), [amount]);
    assert.ok(performance.now() - written < 100, `${performance.now() - written} ms`);
  }
});

Deno.test("a file that is replaced, added or removed is live too", async () => {
  await using loop = await startLoop({ "ingress.yaml": ingress, "route.yaml": route("0.001") });
  await loop.snapshot();
  loop.write(".route.yaml.new", route("0.002"));
  Deno.renameSync(join(loop.path, ".route.yaml.new"), join(loop.path, "route.yaml"));
  assert.deepEqual(amounts(await loop.snapshot()), ["2000"]);
  loop.write("other.yaml", route("1", "other"));
  assert.deepEqual(amounts(await loop.snapshot()), ["1000000", "2000"]);
  Deno.removeSync(join(loop.path, "other.yaml"));
  assert.deepEqual(amounts(await loop.snapshot()), ["2000"]);
});

for (
  const [fault, text, line] of [
    ["truncated before it is written", "", 1],
    ["with a YAML error", route("0.002").replace("network:", "network"), 8],
    ["whose kind is being edited", route("0.002").replace("kind:", "kin:"), 1],
  ] as const
) {
  Deno.test(`a file ${fault} leaves the last good snapshot in force until it is right`, async () => {
    await using loop = await startLoop({ "ingress.yaml": ingress, "route.yaml": route("0.001") });
    await loop.snapshot();
    loop.write("route.yaml", text);
    const error = await loop.event("manifest-error");
    assert.equal(error.file, join(loop.path, "route.yaml"));
    assert.equal(error.line, line, error.reason);
    loop.write("route.yaml", route("0.003"));
    // The very next snapshot is the repaired one.
    assert.deepEqual(amounts(await loop.snapshot()), ["3000"]);
  });
}

Deno.test("nothing is published before the first good load", async () => {
  await using loop = await startLoop({ "ingress.yaml": ingress, "route.yaml": "a: [" });
  await loop.event("manifest-error");
  loop.write("route.yaml", route("0.001"));
  assert.deepEqual(amounts(await loop.snapshot()), ["1000"]);
  assert.deepEqual(loop.reported.map(({ type }) => type), ["manifest-error", "snapshot-published"]);
});

Deno.test("an invalid route is reported with file and line and keeps its last valid form", async () => {
  await using loop = await startLoop({ "ingress.yaml": ingress, "route.yaml": route("0.001") });
  await loop.snapshot();
  loop.write("route.yaml", route("0.0000001"));
  const { file, line, route: name, message, kind, inForce } = await loop.event("route-problem");
  assert.deepEqual({ kind, inForce }, { kind: "invalid", inForce: "last valid form" });
  assert.deepEqual({ file, line, name }, {
    file: join(loop.path, "route.yaml"),
    line: 11,
    name: "default/paid",
  });
  assert.match(message, /spec\.routes\[0\]\.price is "0\.0000001".* 0\.000001/);
  assert.deepEqual(amounts(await loop.snapshot()), ["1000"]);
  // The form in force survives any number of plans.
  loop.write("other.yaml", route("1", "other"));
  assert.deepEqual(amounts(await loop.snapshot()), ["1000000", "1000"]);
  assert.equal(loop.reported.filter(({ type }) => type === "route-problem").length, 1);
});

Deno.test("a missing Service is told without calling the route invalid", async () => {
  await using loop = await startLoop({
    "ingress.yaml": ingress.split("---")[0]!,
    "route.yaml": route("0.001"),
  });
  const { kind, inForce } = await loop.event("route-problem");
  assert.deepEqual({ kind, inForce }, { kind: "backend-not-found", inForce: "as written" });
});

Deno.test("a snapshot that the gateway refuses is reported, and the loop goes on", async () => {
  await using loop = await startLoop({ "ingress.yaml": ingress, "route.yaml": route("0.001") });
  await loop.snapshot();
  loop.refuse = true;
  loop.write("route.yaml", route("0.002"));
  assert.equal((await loop.event("publish-failed")).reason, "refused by the test");
  loop.refuse = false;
  loop.write("route.yaml", route("0.003"));
  assert.deepEqual(amounts(await loop.snapshot()), ["3000"]);
});

Deno.test("a network that the facilitator does not support is told until it does", async () => {
  await using loop = await startLoop({ "ingress.yaml": ingress, "route.yaml": route("0.001") });
  await loop.snapshot();
  const url = "https://x402.org/facilitator";
  loop.facilitators.set(url, [{ x402Version: 2, scheme: "exact", network: "eip155:8453" }]);
  const { kind, inForce, line, message } = await loop.event("route-problem");
  assert.deepEqual({ kind, inForce, line }, {
    ...{ kind: "network-not-supported", inForce: "as written", line: 8 },
  });
  assert.equal(
    message,
    'spec.payment.network is "base-sepolia" (eip155:84532), which the facilitator ' +
      `${url} does not support; with the scheme exact it supports eip155:8453`,
  );
  assert.deepEqual(amounts(await loop.snapshot()), ["1000"]);
  const kinds = [{
    ...{ x402Version: 2, scheme: "exact", network: "eip155:84532" },
    extra: { feePayer: "0xab" },
  }];
  loop.facilitators.set(url, kinds);
  const [rule] = (await loop.snapshot()).ingresses[0]!.rules;
  assert.ok(rule?.access.kind === "paid");
  assert.deepEqual(rule.access.terms.facilitatorExtra, { feePayer: "0xab" });
  assert.equal(loop.reported.filter(({ type }) => type === "route-problem").length, 1);
  // It is gone in between, or it would not be told again.
  loop.facilitators.set(url, []);
  assert.match((await loop.event("route-problem")).message, /supports no network at all$/);
});

Deno.test("answers of facilitators do not bring back a folder that has been refused", async () => {
  await using loop = await startLoop({ "ingress.yaml": ingress, "route.yaml": route("0.001") });
  await loop.snapshot();
  loop.write("route.yaml", "a: [");
  await loop.event("manifest-error");
  const before = loop.reported.length;
  loop.facilitators.set("https://x402.org/facilitator", []);
  loop.write("route.yaml", route("0.003"));
  assert.deepEqual(amounts(await loop.snapshot()), ["3000"]);
  const told = loop.reported.slice(before).map(({ type }) => type);
  assert.deepEqual(told, ["route-problem", "snapshot-published"]);
});
