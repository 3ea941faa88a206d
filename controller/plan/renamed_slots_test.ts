import assert from "node:assert/strict";
import { type BackendSlot, slotKey } from "./backend_slots.ts";
import { renamedSlots } from "./renamed_slots.ts";

const api = { service: { name: "api" } };
const site = { service: { name: "site" } };

function slot(host: string, path: string): BackendSlot {
  const key = slotKey(host, "Prefix", path);
  return { key, pointer: "", backend: {}, rule: { host, path, pathType: "Prefix" } };
}

const cases = [
  {
    name: "a path is renamed",
    added: [slot("h", "/b")],
    lost: { "h Prefix /a": api },
    found: [api],
  },
  {
    name: "a type is changed beside another path that is gone",
    added: [slot("h", "/a")],
    lost: { "h Exact /a": api, "h Prefix /b": site },
    found: [api],
  },
  {
    name: "a host is renamed with two backends",
    added: [slot("new", "/a"), slot("new", "/b")],
    lost: { "old Prefix /a": api, "old Prefix /b": site },
    found: [api, site],
  },
  {
    name: "what a nearer slot was is not taken for another one",
    added: [slot("h", "/a"), slot("h", "/c")],
    lost: { "h Exact /a": api },
    found: [api, undefined],
  },
  {
    name: "more have come than are gone",
    added: [slot("h", "/b"), slot("h", "/c")],
    lost: { "h Prefix /a": api },
    found: [undefined, undefined],
  },
  {
    name: "those that are gone had different backends",
    added: [slot("h", "/c")],
    lost: { "h Prefix /a": api, "h Prefix /b": site },
    found: [undefined],
  },
  {
    name: "a default backend has gone too",
    added: [slot("h", "/c")],
    lost: { "h Prefix /a": api, "default": site },
    found: [api],
  },
];
for (const { name, added, lost, found } of cases) {
  Deno.test(`renamed slots: ${name}`, () => {
    const result = renamedSlots(added, new Map(Object.entries(lost)));
    assert.deepEqual(added.map(({ key }) => result.found.get(key)), found);
    // What has been used is not there for the next plan to use again.
    assert.equal(result.lost.size, Object.keys(lost).length - result.found.size);
  });
}

Deno.test("the host of 10,000 patched paths is renamed quickly", () => {
  const paths = Array.from({ length: 10_000 }, (_, index) => `/${index}`);
  const lost = new Map(paths.map((path, index) => [`old Prefix ${path}`, index % 2 ? api : site]));
  const started = performance.now();
  assert.equal(renamedSlots(paths.map((path) => slot("new", path)), lost).found.size, 10_000);
  assert.ok(performance.now() - started < 2000);
});
