import assert from "node:assert/strict";
import { checkLoop, nextHop } from "./hops.ts";

Deno.test("a request may pass five gateways", () => {
  let hops: string | null = null;
  for (let gateway = 0; gateway < 5; gateway++) {
    checkLoop(hops);
    hops = nextHop(hops);
  }
  assert.equal(hops, "5");
  assert.throws(() => checkLoop(hops), { code: "loop_detected" });
});

Deno.test("what is no count counts as none", () => {
  for (const value of ["", "-1", "1e9", "9".repeat(40), "5, 5"]) {
    checkLoop(value);
    assert.equal(nextHop(value), "1", value);
  }
});
