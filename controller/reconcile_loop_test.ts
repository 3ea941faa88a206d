import assert from "node:assert/strict";
import { join } from "node:path";
import type { RouteSnapshot } from "../store/route_snapshot.ts";
import type { ManifestEvent } from "./manifest_event.ts";
import { startManifestLoop } from "./reconcile_loop.ts";

const ingress = `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: api }
spec:
  rules:
    - http:
        paths:
          - { path: /, pathType: Prefix, backend: { service: { name: api, port: { number: 80 } } } }
---
apiVersion: v1
kind: Service
metadata: { name: api }
spec: { type: ExternalName, externalName: localhost }
`;

function route(price: string, name = "paid"): string {
  return `apiVersion: x402.io/v1alpha1
kind: X402Route
metadata: { name: ${name} }
spec:
  ingressRef: { name: api }
  payment:
    wallet: "0x1f6004907Adc7d313768b85917e069e011150390"
    network: base-sepolia
  routes:
    - path: /${name}
      price: "${price}"
`;
}

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
  loop.write("route.yaml", route("0.001"));
  assert.deepEqual(amounts(await loop.snapshot()), ["1000"]);
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

function amounts({ ingresses }: RouteSnapshot): string[] {
  return ingresses.flatMap(({ rules }) =>
    rules.map(({ access }) => access.kind === "paid" ? access.terms.amount : access.kind)
  );
}

/** Runs the loop on a temporary folder; events and snapshots can be awaited, each once. */
async function startLoop(files: Readonly<Record<string, string>>) {
  const path = Deno.makeTempDirSync();
  const write = (name: string, text: string) => Deno.writeTextFileSync(join(path, name), text);
  for (const [name, text] of Object.entries(files)) write(name, text);
  const stop = new AbortController();
  const reported: ManifestEvent[] = [];
  const news = new EventTarget();
  let latest: RouteSnapshot | undefined;
  let read = 0;
  const test = {
    path,
    write,
    reported,
    refuse: false,
    async event<T extends ManifestEvent["type"]>(type: T) {
      while (true) {
        for (; read < reported.length; read++) {
          const event = reported[read]!;
          if (event.type !== type) continue;
          read++;
          return event as Extract<ManifestEvent, { type: T }>;
        }
        await new Promise((resolve, reject) => {
          const tooLate = setTimeout(reject, 2000, new Error(`no event ${type}`));
          news.addEventListener("news", resolve, { once: true });
          news.addEventListener("news", () => clearTimeout(tooLate), { once: true });
        });
      }
    },
    async snapshot(): Promise<RouteSnapshot> {
      await test.event("snapshot-published");
      return latest!;
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await loop;
      await Deno.remove(path, { recursive: true });
    },
  };
  const loop = startManifestLoop({
    folder: path,
    options: {
      allowExternalName: true,
      allowedFacilitatorHosts: [],
      clusterDomain: "cluster.local",
    },
    publish(snapshot) {
      if (test.refuse) throw new Error("refused by the test");
      latest = snapshot;
    },
    report(event) {
      reported.push(event);
      news.dispatchEvent(new Event("news"));
    },
    signal: stop.signal,
  });
  return await Promise.resolve(test);
}
