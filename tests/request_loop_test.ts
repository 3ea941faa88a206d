/** A backend that leads back to the gateway: what would be one request without end. */
import assert from "node:assert/strict";
import { startPaidApi } from "./rig/paid_api.ts";
import { rule, snapshotOf, startTestGateway, usdcTerms } from "./support/test_gateway.ts";

const paid = rule("/paid", { kind: "paid", terms: usdcTerms("http://127.0.0.1:1") });

/** A gateway that is its own backend. */
function startLoop() {
  const loop = startTestGateway(undefined);
  loop.gateway.publish(snapshotOf(loop.url, [paid]));
  return {
    url: loop.url,
    async passed(status: string): Promise<number> {
      const text = await (await fetch(`${loop.metricsUrl}/metrics`)).text();
      const line = text.split("\n").find((line) => line.includes(`payment_status="${status}"`));
      return Number(line?.split(" ").at(-1));
    },
    [Symbol.asyncDispose]: () => loop[Symbol.asyncDispose](),
  };
}

const preflight = {
  method: "OPTIONS",
  headers: { origin: "https://shop.example.com", "access-control-request-method": "POST" },
};

for (
  const [path, init, status] of [["/free", {}, "unmatched"], [
    "/paid",
    preflight,
    "preflight",
  ]] as const
) {
  Deno.test(`request loop: ${status} ends with 508 after five rounds`, async () => {
    await using loop = startLoop();
    const reply = await fetch(loop.url + path, init);
    assert.equal(reply.status, 508);
    assert.doesNotMatch(await reply.text(), /127\.0\.0\.1/);
    assert.equal(await loop.passed(status), 6, "five that were passed on, one that was refused");
  });
}

Deno.test("request loop: a WebSocket ends", async () => {
  await using loop = startLoop();
  const socket = new WebSocket(loop.url.replace("http", "ws") + "/free");
  await new Promise((resolve) => socket.onerror = resolve);
  assert.equal(await loop.passed("unmatched"), 6);
});

Deno.test("request loop: what went round is refused, not offered for money", async () => {
  await using loop = startLoop();
  const reply = await fetch(`${loop.url}/paid`, { headers: { "x-402-hops": "5" } });
  assert.equal(reply.status, 508);
  assert.equal((await reply.json()).error, "loop_detected");
});

Deno.test("two gateways in a row are no loop, and the backend sees both", async () => {
  await using api = startPaidApi();
  await using inner = startTestGateway(snapshotOf(api.url, [paid]));
  await using outer = startTestGateway(snapshotOf(inner.url, []));
  const reply = await fetch(`${outer.url}/api/weather`);
  await reply.body?.cancel();
  assert.equal(reply.status, 200);
  assert.equal(api.received[0]?.headers["x-402-hops"], "2");
  const offer = await fetch(`${outer.url}/paid`);
  await offer.body?.cancel();
  assert.equal(offer.status, 402);
});
