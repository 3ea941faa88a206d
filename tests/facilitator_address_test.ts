/** A facilitator whose name leads to a private address is not called, and nobody pays for it. */
import assert from "node:assert/strict";
import { FacilitatorClient } from "../gateway/facilitator/facilitator_client.ts";
import { FacilitatorAddresses } from "../gateway/facilitator/facilitator_addresses.ts";
import { Logger } from "../store/log.ts";
import { Metrics } from "../store/metrics.ts";
import type { PaymentTerms } from "../store/route_snapshot.ts";
import { startPaidApi } from "./rig/paid_api.ts";
import { signPayment, usdcRequirements } from "./rig/sign_payment.ts";
import { startScriptedFacilitator } from "./support/scripted_facilitator.ts";
import { signedPayment } from "./support/signed_payment.ts";
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

/** A client for which names have these addresses, one answer after the other. */
function clientWith(resolve: () => Promise<string[]>, ms: number): FacilitatorClient {
  const log = new Logger("error", () => {});
  const hosts = { allowedFacilitatorHosts: [], clusterDomain: "cluster.local" };
  const addresses = new FacilitatorAddresses(hosts, log, resolve, 0);
  const { facilitators } = new Metrics();
  return new FacilitatorClient({ verifyMs: ms, settleMs: ms }, addresses, log, facilitators);
}

Deno.test("rebinding between verify and settle: the settlement is not sent", async () => {
  await using facilitator = startScriptedFacilitator();
  const terms = usdcTerms(named(facilitator.url));
  const answers = [["8.8.8.8"], ["127.0.0.1"]];
  const client = clientWith(() => Promise.resolve(answers.shift()!), 2_000);
  const payment = await signedPayment(terms);
  const url = "http://a.test/paid";
  assert.deepEqual(await client.verify(payment, terms, url), { kind: "valid" });
  const outcome = await client.settle(payment, terms, url);
  assert.ok(outcome.kind === "not_sent");
  assert.equal(outcome.failure.code, "facilitator_refused");
  assert.equal(facilitator.received["/verify"].length, 1);
  assert.equal(facilitator.received["/settle"].length, 0);
  client.close();
});

Deno.test("a name server that does not answer is a timeout of the call, which is not made", async () => {
  await using facilitator = startScriptedFacilitator();
  const terms = usdcTerms(named(facilitator.url));
  const client = clientWith(() => new Promise(() => {}), 20);
  const payment = await signedPayment(terms);
  const url = "http://a.test/paid";
  await assert.rejects(client.verify(payment, terms, url), { code: "facilitator_timeout" });
  assert.equal((await client.settle(payment, terms, url)).kind, "not_sent");
  await assert.rejects(client.supported(terms.facilitatorUrl), { code: "facilitator_timeout" });
  assert.equal(facilitator.connections(), 0);
  client.close();
});
