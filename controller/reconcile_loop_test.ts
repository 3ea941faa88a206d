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
  const { file, line, route: name, message } = await loop.event("route-invalid");
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
  assert.equal(loop.reported.filter(({ type }) => type === "route-invalid").length, 1);
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
