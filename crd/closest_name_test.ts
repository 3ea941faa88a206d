import assert from "node:assert/strict";
import { closestName } from "./closest_name.ts";

const names = ["wallet", "network", "defaultPrice", "facilitatorURL"];

const cases: [name: string, meant: string | undefined][] = [
  ["walet", "wallet"],
  ["wallets", "wallet"],
  ["netwrok", "network"],
  ["facilitatorUrl", "facilitatorURL"],
  ["DEFAULTPRICE", "defaultPrice"],
  ["price", undefined],
  ["", undefined],
];

for (const [name, meant] of cases) {
  Deno.test(`closestName("${name}") is ${meant}`, () => {
    assert.equal(closestName(name, names), meant);
  });
}

Deno.test("closestName prefers fewer edits over the order of the candidates", () => {
  assert.equal(closestName("mode", ["made1", "node"]), "node");
});
