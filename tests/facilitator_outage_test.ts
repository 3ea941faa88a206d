/** What a buyer sees of a facilitator's queue and circuit breaker. */
import assert from "node:assert/strict";
import { startPaidApi } from "./rig/paid_api.ts";
import { signPayment, usdcRequirements } from "./rig/sign_payment.ts";
import { startScriptedFacilitator } from "./support/scripted_facilitator.ts";
import { rule, snapshotOf, startTestGateway, usdcTerms } from "./support/test_gateway.ts";

function setUp() {
  const api = startPaidApi();
  const down = startScriptedFacilitator();
  const up = startScriptedFacilitator();
  const rules = ([["/down", down], ["/up", up]] as const).map(([path, { url }]) =>
    rule(path, { kind: "paid", terms: usdcTerms(url) })
  );
  const gateway = startTestGateway(snapshotOf(api.url, rules));
  const { amount, payTo } = usdcTerms("");
  return {
    ...{ down, up, gateway },
    async pay(path: string) {
      const requirements = usdcRequirements(2, amount, payTo);
      const { header } = await signPayment({ version: 2, buyer: 1, requirements });
      const reply = await fetch(gateway.url + path, { headers: [header] });
      const text = await reply.text();
      return {
        status: reply.status,
        error: reply.status === 200 ? undefined : JSON.parse(text).error,
        retryAfter: Number(reply.headers.get("retry-after")),
        offers: reply.headers.has("payment-required"),
      };
    },
    async [Symbol.asyncDispose]() {
      for (const part of [gateway, down, up, api]) await part[Symbol.asyncDispose]();
    },
  };
}

Deno.test("an outage: 503 at once with the time to come back, never a 402; others go on", async () => {
  await using bed = setUp();
  const { down, gateway } = bed;
  for (const endpoint of ["/verify", "/settle", "/supported"] as const) {
    down.answers[endpoint] = "close-before-request";
  }
  const isOpen = () => gateway.log.some(({ msg }) => String(msg).includes("facilitator is down"));
  for (let n = 0; !isOpen(); n++) {
    assert.ok(n < 50, "the breaker does not open");
    const reply = await bed.pay("/down");
    // It opens in the background, when the facilitator has been asked for its health.
    const expected = isOpen()
      ? /^facilitator_un(?:reachable|available)$/
      : /^facilitator_unreachable$/;
    assert.match(`${reply.error}`, expected);
    assert.equal(reply.status, 503);
  }
  const calls = down.connections();
  const { retryAfter, ...reply } = await bed.pay("/down");
  assert.deepEqual(reply, { status: 503, error: "facilitator_unavailable", offers: false });
  assert.ok(retryAfter > 5 && retryAfter <= 10, String(retryAfter));
  assert.equal(down.connections(), calls);
  assert.equal((await bed.pay("/up")).status, 200);
});
