import assert from "node:assert/strict";
import { FaultLog } from "./fault_log.ts";
import { Journal } from "./journal.ts";

function setUp() {
  const faults = new FaultLog();
  return { faults, journal: new Journal(faults) };
}

Deno.test("a fault excuses its own kind of failure, for those that depend on it", () => {
  const { faults, journal } = setUp();
  faults.begin("backend", "crashes");
  const since = performance.now();
  journal.saw("free, backend fails", "502 upstream_reset", since);
  assert.equal(journal.violationCount, 0);
  journal.saw("free, backend fails", "500 internal_error", since);
  journal.saw("free, backend fails", "200 with a wrong body", since);
  journal.saw("free", "502 upstream_reset", since);
  journal.saw("paid, facilitator fails", "503 facilitator_unreachable", since);
  assert.equal(journal.violationCount, 4);
});

Deno.test("what began after a fault and its aftermath is not excused", () => {
  const { faults, journal } = setUp();
  faults.begin("facilitator", "hangs");
  const during = performance.now();
  faults.end("facilitator", 1_000);
  journal.saw("paid, facilitator fails", "504 facilitator_timeout", during);
  journal.saw("paid, facilitator fails", "504 facilitator_timeout", performance.now() + 900);
  assert.equal(journal.violationCount, 0);
  journal.saw("paid, facilitator fails", "504 facilitator_timeout", performance.now() + 1_100);
  assert.equal(journal.violationCount, 1);
});

Deno.test("an outage that is answered with a new offer is a violation", () => {
  const { faults, journal } = setUp();
  faults.begin("facilitator", "hangs");
  journal.saw("paid, facilitator fails", "402", performance.now());
  journal.saw("the same once more", "402", performance.now());
  assert.equal(journal.violationCount, 2);
});

Deno.test("a kind is proven by a success that began late enough", () => {
  const { journal } = setUp();
  const before = performance.now();
  journal.saw("free", "200", before);
  assert.equal(journal.isProven("free", before), true);
  assert.equal(journal.isProven("free", before + 1), false);
  assert.equal(journal.isProven("unpaid", before), false);
});

Deno.test("violations beyond the first are counted, not kept", () => {
  const { journal } = setUp();
  for (let n = 0; n < 1_000; n++) journal.violate("again");
  assert.equal(journal.violationCount, 1_000);
  assert.ok(journal.violations.length < 100);
});
