import assert from "node:assert/strict";
import fc from "fast-check";
import { InvalidSignatures } from "./invalid_signatures.ts";

const payer = "0x857b06519E91e3A54538791bDbb0E22373e36b66";

/** The n-th of many payers. */
function payerOf(n: number): string {
  return `0x${n.toString(16).padStart(40, "0")}`;
}

function counter(limits = {}) {
  const clock = { ms: 1_000_000 };
  return { clock, invalid: new InvalidSignatures(limits, () => clock.ms) };
}

Deno.test("five invalid signatures make a client suspicious, whatever payers it names", () => {
  const { invalid, clock } = counter();
  for (let n = 0; n < 5; n++) {
    assert.equal(invalid.isSuspicious("192.0.2.1", payerOf(99)), false, `after ${n}`);
    invalid.add("192.0.2.1", payerOf(n));
  }
  assert.equal(invalid.isSuspicious("192.0.2.1", payerOf(99)), true);
  assert.equal(invalid.isSuspicious("192.0.2.2", payerOf(99)), false);
  assert.equal(invalid.retryAfterSeconds("192.0.2.1", payerOf(99)), 12);
  clock.ms += 11_500;
  assert.equal(invalid.retryAfterSeconds("192.0.2.1", payerOf(99)), 1);
  clock.ms += 500;
  assert.equal(invalid.isSuspicious("192.0.2.1", payerOf(99)), false);
});

Deno.test("five invalid signatures make a payer suspicious, whatever clients send them", () => {
  const { invalid } = counter();
  for (let n = 0; n < 5; n++) invalid.add(`192.0.2.${n}`, n % 2 ? payer : payer.toLowerCase());
  assert.equal(invalid.isSuspicious("192.0.2.99", payer), true);
  assert.equal(invalid.isSuspicious("192.0.2.99", payerOf(1)), false);
});

Deno.test("a client that was suspicious is watched more closely until a minute has passed", () => {
  const { invalid, clock } = counter();
  for (let n = 0; n < 5; n++) invalid.add("192.0.2.1", payerOf(n));
  clock.ms += 12_000;
  invalid.add("192.0.2.1", payerOf(6));
  assert.equal(invalid.isSuspicious("192.0.2.1", payerOf(99)), true);
  clock.ms += 60_000;
  for (let n = 0; n < 4; n++) invalid.add("192.0.2.1", payerOf(10 + n));
  assert.equal(invalid.isSuspicious("192.0.2.1", payerOf(99)), false);
});

Deno.test("a flood of any length is over twelve seconds after its end", () => {
  const { invalid, clock } = counter();
  for (let n = 0; n < 10_000; n++) invalid.add("192.0.2.1", payer);
  assert.equal(invalid.retryAfterSeconds("192.0.2.1", payer), 12);
  clock.ms += 12_000;
  assert.equal(invalid.isSuspicious("192.0.2.1", payer), false);
});

const sameClient: readonly [string, string, boolean][] = [
  ["2001:db8::1", "2001:0DB8:0:0:ffff::2", true],
  ["2001:db8::1", "2001:db8:0:1::1", false],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::", true],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:3:3:4:5:6", false],
  ["fe80::1%eth0", "fe80::2", true],
  ["::1", "::2", true],
  ["::ffff:192.0.2.1", "192.0.2.1", true],
  ["::ffff:192.0.2.1", "192.0.2.2", false],
  ["64:ff9b:1:2::192.0.2.1", "64:ff9b:1:2::192.0.2.9", true],
  ["64:ff9b:1:2:3:4:192.0.2.1", "64:ff9b:1:2::", true],
  ["1:2::3:4:5:192.0.2.1", "1:2:0:3::", true],
  ["192.0.2.1", "192.0.2.10", false],
  ["unknown", "unknown", true],
];
for (const [one, two, same] of sameClient) {
  Deno.test(`${one} and ${two} are ${same ? "the same client" : "different clients"}`, () => {
    for (const [a, b] of [[one, two], [two, one]] as const) {
      const { invalid } = counter();
      for (let n = 0; n < 5; n++) invalid.add(a, payerOf(n));
      assert.equal(invalid.isSuspicious(b, payerOf(99)), same);
    }
  });
}

Deno.test("an IPv6 client is known by its first 64 bits, however they are written", () => {
  const group = fc.integer({ min: 0, max: 0xffff }).map((value) => value.toString(16));
  fc.assert(
    fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
      const written = groups.join(":");
      const canonical = new URL(`http://[${written}]/`).hostname.slice(1, -1);
      const { invalid } = counter();
      for (let n = 0; n < 5; n++) invalid.add(written, payerOf(n));
      assert.equal(invalid.isSuspicious(canonical, payerOf(99)), true, canonical);
    }),
  );
});

Deno.test("invented payers neither fill the memory nor push out the client that sends them", () => {
  const { invalid } = counter({ maxKeys: 100 });
  for (let n = 0; n < 5; n++) invalid.add("192.0.2.1", payer);
  for (let n = 0; n < 1000; n++) invalid.add("192.0.2.2", payerOf(n));
  assert.equal(invalid.size, 102);
  assert.equal(invalid.isSuspicious("192.0.2.1", payerOf(5000)), true, "the other client");
  assert.equal(invalid.isSuspicious("192.0.2.2", payerOf(5000)), true);
  assert.equal(invalid.isSuspicious("192.0.2.3", payer), false, "forgotten");
});

Deno.test("whoever goes on sending garbage is not the first to be forgotten", () => {
  const { invalid } = counter({ invalid: 2, maxKeys: 2 });
  for (const n of [1, 2, 1, 3]) invalid.add(`192.0.2.${n}`, payerOf(n));
  assert.equal(invalid.isSuspicious("192.0.2.1", payerOf(99)), true);
});

Deno.test("what has been quiet for a minute takes no memory", () => {
  const { invalid, clock } = counter();
  for (let n = 0; n < 1000; n++) invalid.add(`2001:db8:0:${n.toString(16)}::1`, payerOf(n));
  clock.ms += 60_000;
  invalid.add("192.0.2.1", payer);
  assert.equal(invalid.size, 2);
});
