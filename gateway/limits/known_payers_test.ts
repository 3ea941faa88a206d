import assert from "node:assert/strict";
import { KnownPayers } from "./known_payers.ts";

Deno.test("a payer is known for an hour after its last payment", () => {
  const clock = { ms: 0 };
  const payers = new KnownPayers(() => clock.ms);
  assert.equal(payers.has("0xa"), false);
  payers.add("0xa");
  clock.ms = 3_599_999;
  assert.equal(payers.has("0xa"), true);
  payers.add("0xa");
  clock.ms += 3_599_999;
  assert.equal(payers.has("0xa"), true);
  clock.ms += 1;
  assert.equal(payers.has("0xa"), false);
  assert.equal(payers.has("0xb"), false);
});

Deno.test("a payer that was removed is not known", () => {
  const payers = new KnownPayers(() => 0);
  payers.add("0xa");
  payers.remove("0xa");
  assert.equal(payers.has("0xa"), false);
});
