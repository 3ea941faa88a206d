/** Routes come and go for as long as a process lives; what is counted of them must not pile up. */
import assert from "node:assert/strict";
import { startPaidApi } from "./rig/paid_api.ts";
import { rule, snapshotOf, startTestGateway } from "./support/test_gateway.ts";

Deno.test("series of a rule that has been gone for ten minutes leave /metrics, others stay", async () => {
  await using api = startPaidApi();
  const [kept, gone] = ["/kept", "/gone"].map((path) => rule(path, { kind: "free" }));
  await using test = startTestGateway(snapshotOf(api.url, [kept!, gone!]));
  const scraped = async () => await (await fetch(`${test.metricsUrl}/metrics`)).text();
  for (const path of ["/kept", "/gone"]) await (await fetch(test.url + path)).body?.cancel();

  test.gateway.publish(snapshotOf(api.url, [kept!]));
  assert.match(await scraped(), /path="\/gone".* 1$/m, "for the last scrape");
  const { now } = performance;
  performance.now = () => now.call(performance) + 10 * 60_000;
  test.gateway.publish(snapshotOf(api.url, [kept!]));
  performance.now = now;
  const text = await scraped();
  assert.doesNotMatch(text, /path="\/gone"/);
  assert.match(text, /path="\/kept".* 1$/m);
});
