import assert from "node:assert/strict";
import { FacilitatorSupport, type SupportedKind } from "./facilitator_support.ts";

const url = "https://facilitator.example";
const base: SupportedKind = { x402Version: 2, scheme: "exact", network: "eip155:8453" };
const sepolia: SupportedKind = {
  ...{ x402Version: 2, scheme: "exact", network: "eip155:84532" },
  extra: { feePayer: "0xab", limits: { max: 1, min: [0] } },
};

function support() {
  const listening = new AbortController();
  const known = new FacilitatorSupport();
  let changes = 0;
  known.onChange(() => changes++, listening.signal);
  return { known, listening, changes: () => changes };
}

Deno.test("nothing is known before the first answer, and an empty answer is one", () => {
  const { known, changes } = support();
  assert.equal(known.known.get(url), undefined);
  known.set(url, []);
  assert.deepEqual(known.known.get(url), []);
  assert.equal(changes(), 1);
});

for (
  const [what, kinds, news] of [
    ["the same", [base, sepolia], false],
    ["the same in another order", [sepolia, base], false],
    ["one of them twice", [base, base, sepolia], false],
    ["the same with other fields", [{ ...base, note: "new" } as SupportedKind, sepolia], false],
    [
      "the same with its keys in another order",
      [base, { ...sepolia, extra: { limits: { min: [0], max: 1 }, feePayer: "0xab" } }],
      false,
    ],
    ["one kind less", [base], true],
    ["another version", [{ ...base, x402Version: 1 }, sepolia], true],
    ["another extra", [base, { ...sepolia, extra: { feePayer: "0xcd" } }], true],
    ["no extra", [base, { ...sepolia, extra: {} }], true],
  ] as const
) {
  Deno.test(`an answer that is ${what} ${news ? "is" : "is not"} news`, () => {
    const { known, changes } = support();
    known.set(url, [base, sepolia]);
    const before = known.known;
    known.set(url, kinds);
    assert.equal(changes(), news ? 2 : 1);
    assert.equal(known.known === before, !news);
  });
}

Deno.test("what has not changed is the very same object", () => {
  const { known } = support();
  known.set(url, [base]);
  const before = known.known.get(url);
  known.set("https://other.example", [sepolia]);
  assert.equal(known.known.get(url), before);
});

Deno.test("keep() forgets the others, and tells only if there were any", () => {
  const { known, changes } = support();
  known.set(url, [base]);
  known.set("https://other.example", []);
  known.keep(new Set([url, "https://never-asked.example"]));
  assert.deepEqual([...known.known.keys()], [url]);
  assert.equal(changes(), 3);
  known.keep(new Set([url]));
  assert.equal(changes(), 3);
});

Deno.test("a listener is not called any more once its signal has aborted", () => {
  const { known, listening, changes } = support();
  listening.abort();
  known.set(url, [base]);
  assert.equal(changes(), 0);
});
