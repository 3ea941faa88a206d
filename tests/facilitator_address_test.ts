/** A facilitator whose name leads to a private address is not called, and nobody pays for it. */
import assert from "node:assert/strict";
import { FacilitatorClient } from "../gateway/payment/facilitator.ts";
import { FacilitatorAddresses } from "../gateway/payment/facilitator_addresses.ts";
import { readPaymentHeader } from "../gateway/payment/payment_header.ts";
import { type BackendReply, PaymentFlow } from "../gateway/payment/payment_flow.ts";
import { RuleCompiler } from "../gateway/routing/compiled_rule.ts";
import { Logger } from "../store/log.ts";
import { Metrics } from "../store/metrics.ts";
import { InMemoryReservations } from "../store/payment_reservations.ts";
import type { PaymentTerms } from "../store/route_snapshot.ts";
import { startPaidApi } from "./rig/paid_api.ts";
import { signPayment, usdcRequirements } from "./rig/sign_payment.ts";
import { startScriptedFacilitator } from "./support/scripted_facilitator.ts";
import { rule, snapshotOf, startTestGateway, usdcTerms } from "./support/test_gateway.ts";

/** The test's facilitator under a name that plan() has not seen: `localhost`. */
function named(url: string): string {
  return url.replace("127.0.0.1", "localhost");
}

async function signed({ amount, payTo }: PaymentTerms): Promise<[string, string]> {
  const requirements = usdcRequirements(2, amount, payTo);
  return (await signPayment({ version: 2, buyer: 1, requirements })).header;
}

for (const settle of ["after-response", "before-request"] as const) {
  Deno.test(`${settle}: a name with a private address: 503, not called, not charged`, async () => {
    await using api = startPaidApi();
    await using facilitator = startScriptedFacilitator();
    const terms = usdcTerms(named(facilitator.url), { settle });
    const routes = snapshotOf(api.url, [rule("/paid", { kind: "paid", terms })]);
    const header = await signed(terms);
    {
      await using gateway = startTestGateway(routes);
      for (let n = 0; n < 3; n++) {
        const reply = await fetch(`${gateway.url}/paid`, { headers: [header] });
        assert.equal(reply.status, 503);
        assert.equal((await reply.json()).error, "facilitator_refused", `the same payment, ${n}`);
        assert.equal(reply.headers.has("payment-required"), false, "no new offer");
        assert.ok(reply.headers.has("retry-after"));
      }
      const errors = gateway.log.filter(({ level }) => level === "error");
      assert.equal(errors.length, 1, JSON.stringify(errors));
      assert.deepEqual([errors[0]!.name, errors[0]!.addresses], ["localhost", ["127.0.0.1"]]);
      assert.equal(facilitator.received["/verify"].length, 0);
      assert.equal(facilitator.received["/settle"].length, 0);
      assert.equal(api.received.length, 0);
    }
    const allowedFacilitatorHosts = [new URL(terms.facilitatorUrl).host];
    await using allowed = startTestGateway(routes, { allowedFacilitatorHosts });
    const reply = await fetch(`${allowed.url}/paid`, { headers: [header] });
    assert.equal(reply.status, 200);
    await reply.body?.cancel();
  });
}

Deno.test("rebinding between verify and settle: nothing sent, 503, and the payment is not offered again", async () => {
  await using facilitator = startScriptedFacilitator();
  const terms = usdcTerms(named(facilitator.url));
  const log = new Logger("error", () => {});
  const metrics = new Metrics();
  const answers = [["8.8.8.8"], ["127.0.0.1"]];
  const hosts = { allowedFacilitatorHosts: [], clusterDomain: "cluster.local" };
  const resolve = () => Promise.resolve(answers.shift()!);
  const addresses = new FacilitatorAddresses(hosts, log, resolve, 0);
  const client = new FacilitatorClient({ verifyMs: 2_000, settleMs: 2_000 }, addresses);
  const reservations = new InMemoryReservations();
  const flow = new PaymentFlow({ facilitator: client, reservations, metrics, log });

  const compiled = new RuleCompiler(metrics).compile(rule("/paid", { kind: "paid", terms }));
  const payment = readPaymentHeader(new Headers([await signed(terms)]));
  assert.ok(compiled.access.kind === "paid" && payment !== undefined && "authorization" in payment);
  let discarded = 0;
  const reply: BackendReply = {
    status: 200,
    finish: () => assert.fail("delivered without payment"),
    discard: () => Promise.resolve(void discarded++),
  };
  const purchase = {
    rule: compiled,
    access: compiled.access,
    payment,
    method: "GET",
    resourceUrl: "http://a.test/paid",
    callBackend: () => Promise.resolve(reply),
  };
  await assert.rejects(flow.serve(purchase), { code: "facilitator_refused" });
  assert.equal(discarded, 1);
  assert.equal(facilitator.received["/verify"].length, 1);
  assert.equal(facilitator.received["/settle"].length, 0);
  const again = await flow.serve(purchase);
  assert.equal(again.status, 402, "the backend has run: this payment is spent");
  assert.equal((await again.json()).error, "payment_already_used");
  client.close();
});

Deno.test("a name server that does not answer is a timeout of the call, which is not made", async () => {
  await using facilitator = startScriptedFacilitator();
  const terms = usdcTerms(named(facilitator.url));
  const hosts = { allowedFacilitatorHosts: [], clusterDomain: "cluster.local" };
  const addresses = new FacilitatorAddresses(hosts, new Logger(), () => new Promise(() => {}));
  const client = new FacilitatorClient({ verifyMs: 20, settleMs: 20 }, addresses);
  const payment = readPaymentHeader(new Headers([await signed(terms)]));
  assert.ok(payment !== undefined && "authorization" in payment);
  const url = "http://a.test/paid";
  await assert.rejects(client.verify(payment, terms, url), { code: "facilitator_timeout" });
  assert.equal((await client.settle(payment, terms, url)).kind, "unknown");
  assert.deepEqual(facilitator.received, { "/verify": [], "/settle": [] });
  client.close();
});
