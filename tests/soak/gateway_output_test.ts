import assert from "node:assert/strict";
import { faultsIn } from "./gateway_output.ts";

Deno.test("faultsIn() finds faults of the program, not those that it was told about", () => {
  const line = (msg: string, fields = {}) => ({ level: "error", msg, ...fields });
  const log = [
    line("request failed", { code: "upstream_reset" }),
    line("facilitator is down, payments through it are answered 503"),
    line("manifest refused, the last good routes stay in force"),
  ];
  assert.deepEqual(faultsIn(log, "\n"), []);
  const faults = [
    line("unhandled rejection"),
    line("unanswered failure"),
    line("request failed", { code: "internal_error" }),
    line("routes could not be put in force, the old ones stay"),
    line("payment left open at the shutdown"),
  ];
  assert.equal(faultsIn([...log, ...faults], "").length, faults.length);
  assert.match(faultsIn([], "error: Uncaught (in promise)")[0]!, /Uncaught/);
});
