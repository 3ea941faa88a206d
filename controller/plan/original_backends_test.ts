import assert from "node:assert/strict";
import type { IngressBackend } from "../cluster_state.ts";
import { formatOriginals, parseOriginals } from "./original_backends.ts";

const backend: IngressBackend = { service: { name: "api", port: { number: 80 } } };
const other: IngressBackend = { service: { name: "site", port: { name: "http" } } };

Deno.test("hosts and paths with names that every object has are kept like others", () => {
  const names = ["constructor", "toString", "__proto__"];
  const backends = new Map<string, IngressBackend>([
    ...names.map((name) => [`${name} Prefix /${name}`, backend] as const),
    ["constructor Prefix#2 /constructor", other] as const,
    ["default", other] as const,
  ]);
  const text = formatOriginals({ gateway: "pay", backends });
  const hosts = names.filter((name) => name !== "__proto__");
  const read = parseOriginals(text);
  for (const name of hosts) {
    assert.deepEqual(read?.backends.get(`${name} Prefix /${name}`), backend);
  }
  assert.deepEqual(read?.backends.get("constructor Prefix#2 /constructor"), other);
  assert.deepEqual(read?.backends.get("default"), other);
  assert.equal(Object.hasOwn(Object, "Prefix"), false);
});

const forged: readonly object[] = [
  { h: { constructor: ["/x"] } },
  { h: { "Prefix#0": ["/x"] } },
  { h: { "Prefix 2": ["/x"] } },
  { "a b": { Prefix: ["/x"] } },
];
for (const hosts of forged) {
  Deno.test(`a forged annotation is refused: ${JSON.stringify(hosts)}`, () => {
    const text = JSON.stringify({ gateway: "x402-gateway", originals: [{ backend, hosts }] });
    assert.equal(parseOriginals(text), undefined);
  });
}
