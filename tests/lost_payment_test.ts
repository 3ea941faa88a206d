/** Payments that a process loses while it serves them: to another replica, or to its own end. */
import assert from "node:assert/strict";
import { paymentBed as setUp } from "./support/payment_bed.ts";

Deno.test("a settlement that outlasts the drain is logged with payer and nonce", async () => {
  await using bed = setUp();
  bed.facilitator.answers["/settle"] = "hang";
  const settling = bed.facilitator.called("/settle");
  const request = bed.fetch("/paid/x", await bed.sign());
  await settling;
  assert.equal(await bed.gateway.gateway.drain(50), false);
  const line = bed.gateway.log.find(({ msg }) => msg === "payment left open at the shutdown");
  assert.match(String(line?.payment), /0x[0-9a-f]{40}\/0x[0-9a-f]{64}$/);
  await assert.rejects(request, "what the drain cuts off gets no reply");
});

for (const settle of ["after-response", "before-request"] as const) {
  for (const answer of ["success", "refusal"] as const) {
    Deno.test(`${settle}: whoever has lost a payment in the meantime does nothing more with it: ${answer}`, async () => {
      await using bed = setUp({ settle });
      const { promise: hold, resolve: goOn } = Promise.withResolvers<void>();
      const json = answer === "success"
        ? { success: true, transaction: `0x${"5e".repeat(32)}`, network: "eip155:84532" }
        : { success: false, errorReason: "invalid_exact_evm_nonce_already_used" };
      bed.facilitator.answers["/settle"] = { json, after: hold };
      const settling = bed.facilitator.called("/settle");
      const paying = bed.fetch("/paid/x", await bed.sign());
      await settling;
      const calls = bed.api.received.length;
      // As if this process had stood still for longer than its lease.
      const [row] = await Array.fromAsync(bed.gateway.ledger.history.list());
      const lease = { id: row!.id, fence: 1 };
      await bed.gateway.ledger.payments.move(lease, "unknown");
      goOn();
      const reply = await paying;
      assert.deepEqual([reply.status, (await reply.json()).error], [409, "payment_in_flight"]);
      assert.equal(reply.headers.has("payment-required"), false, "no new offer");
      assert.equal(bed.api.received.length, calls, "the backend is not called");
      await bed.becomes("unknown");
    });
  }
}
