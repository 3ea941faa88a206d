import assert from "node:assert/strict";
import fc from "fast-check";
import { PaymentRequiredV1Schema, PaymentRequiredV2Schema } from "@x402/core/schemas";
import { usdcTerms } from "../../tests/support/test_gateway.ts";
import { Challenge } from "./challenge.ts";
import { RecentReplies } from "./recent_replies.ts";

const terms = usdcTerms("https://x402.org/facilitator", {
  description: 'Weather, "live" ☀',
  mimeType: "application/json",
});

async function read(response: Response) {
  const header = Uint8Array.fromBase64(response.headers.get("payment-required")!);
  return { v2: JSON.parse(new TextDecoder().decode(header)), v1: await response.json() };
}

Deno.test("a 402 offers version 1 in the body and version 2 in the header", async () => {
  const url = "https://api.example.com/weather?q=1";
  const response = new Challenge(terms).refuse(url, "why", "GET");
  assert.equal(response.status, 402);
  assert.equal(response.headers.get("cache-control"), "no-store");
  const { v1, v2 } = await read(response);
  const { network: _, networkV1, amount, price: _p, facilitatorUrl: _f, settle: _s, ...offer } =
    terms;
  const { description, mimeType, ...core } = offer;
  const { extensions, ...rest } = v2;
  assert.deepEqual(extensions["payment-identifier"].info, { required: false });
  assert.deepEqual(rest, {
    x402Version: 2,
    error: "why",
    resource: { url, description, mimeType },
    accepts: [{ ...core, network: "eip155:84532", amount }],
  });
  assert.deepEqual(v1, {
    x402Version: 1,
    error: "why",
    accepts: [{ ...offer, network: networkV1, maxAmountRequired: amount, resource: url }],
  });
  assert.ok(PaymentRequiredV2Schema.safeParse(v2).success, "the published v2 schema accepts it");
  assert.ok(PaymentRequiredV1Schema.safeParse(v1).success, "the published v1 schema accepts it");
});

Deno.test("prepared base64 pieces join into JSON for any text and length", async () => {
  const text = fc.string({ unit: "grapheme", maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(text, text, text, async (description, reason, query) => {
      const url = `http://a.test/?${query}`;
      const { v1, v2 } = await read(
        new Challenge({ ...terms, description }).refuse(url, reason, "GET"),
      );
      assert.deepEqual([v2.resource, v2.error], [
        { url, description, mimeType: terms.mimeType },
        reason,
      ]);
      assert.deepEqual([v1.accepts[0].resource, v1.error], [url, reason]);
    }),
  );
});

Deno.test("HEAD gets the head of the 402 and no body", () => {
  const response = new Challenge(terms).ask("http://a.test/", "HEAD");
  assert.equal(response.body, null);
  assert.ok(response.headers.has("payment-required"));
});

Deno.test("a network that version 1 does not know is offered in version 2 only", async () => {
  const { networkV1: _, ...v2Only } = terms;
  const { v1, v2 } = await read(new Challenge(v2Only).refuse("http://a.test/", "why", "GET"));
  assert.deepEqual(v1, { x402Version: 1, accepts: [], error: "why" });
  assert.equal(v2.accepts.length, 1);
});

Deno.test("an unpaid request is answered the same the second time, whatever was done to the first", async () => {
  const challenge = new Challenge(terms);
  const first = challenge.ask("http://a.test/", "GET");
  first.headers.append("vary", "origin");
  const second = challenge.ask("http://a.test/", "GET");
  assert.equal(second.headers.has("vary"), false);
  assert.deepEqual(await read(second), await read(first));
});

Deno.test("challenges that share their recent replies do not answer for each other", async () => {
  const recent = new RecentReplies();
  const cheap = new Challenge(terms, recent);
  const dear = new Challenge({ ...terms, amount: "2000" }, recent);
  for (const [challenge, amount] of [[cheap, "1000"], [dear, "2000"], [cheap, "1000"]] as const) {
    const { v2 } = await read(challenge.ask("http://a.test/", "GET"));
    assert.equal(v2.accepts[0].amount, amount);
  }
});

Deno.test("requests to ever new URLs do not fill the memory", () => {
  const recent = new RecentReplies();
  const challenge = new Challenge(terms, recent);
  for (let i = 0; i < 2000; i++) challenge.ask(`http://a.test/${i}`, "GET");
  const long = `http://a.test/${"x".repeat(600)}`;
  challenge.ask(long, "GET");
  assert.equal(recent.get(long), undefined);
  assert.equal(recent.get("http://a.test/0"), undefined);
  assert.ok(recent.get("http://a.test/1999") !== undefined);
});
