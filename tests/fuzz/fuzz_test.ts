import assert from "node:assert/strict";
import { describeFindings, startFuzzBed } from "./fuzz_run.ts";
import { generateFlight } from "./generate_flight.ts";
import { byteByByte, differences, flyNamed, unexpected, whole } from "./named_run.ts";

/** `X402_TEST_HTTP_FUZZ_SEED=...` for those of a failure. */
const seed = Number(
  Deno.env.get("X402_TEST_HTTP_FUZZ_SEED") ?? Math.floor(Math.random() * 2 ** 31),
);
const requests = 5_000;

Deno.test("named attacks: nothing paid gets through, and no request is taken for another", async () => {
  await using bed = startFuzzBed();
  const atOnce = await flyNamed(bed, whole, 0);
  const inBytes = await flyNamed(bed, byteByByte, atOnce.length);
  const faults = { unexpected: unexpected(atOnce), cut: differences(atOnce, inBytes) };
  assert.equal(describeFindings(bed.judge.findings), "");
  assert.deepEqual(faults, { unexpected: [], cut: [] });
});

Deno.test(`${requests} generated requests`, async () => {
  const bed = startFuzzBed();
  function* flights() {
    for (let number = 0, sent = 0; sent < requests; number++) {
      const flight = generateFlight(seed, number);
      sent += Math.max(1, flight.strict.messages.length);
      yield flight;
    }
  }
  await bed.fly(flights(), 32);
  await bed[Symbol.asyncDispose]();
  assert.equal(describeFindings(bed.judge.findings), "", `seed ${seed}`);
  assert.ok(bed.judge.arrivals > requests / 20, "the backend is reached at all");
});
