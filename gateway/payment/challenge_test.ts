import assert from "node:assert/strict";
import fc from "fast-check";
import { PaymentRequiredV1Schema, PaymentRequiredV2Schema } from "@x402/core/schemas";
import { usdcTerms } from "../../tests/support/test_gateway.ts";
import type { PreparedText, Reply } from "../front/reply.ts";
import { Challenge } from "./challenge.ts";

const terms = usdcTerms("https://x402.org/facilitator", {
  description: 'Weather, "live" ☀',
  mimeType: "application/json",
});

function read(reply: Reply) {
  const header = Uint8Array.fromBase64(reply.headers.get("payment-required")!);
  const json = new TextDecoder().decode(header);
  return { v2: JSON.parse(json), v1: JSON.parse(reply.body as string) };
}

Deno.test("a 402 offers version 1 in the body and version 2 in the header", () => {
  const url = "https://api.example.com/weather?q=1";
  const response = new Challenge(terms).refuse(url, "why");
  assert.equal(response.status, 402);
  assert.equal(response.headers.get("cache-control"), "no-store");
  const { v1, v2 } = read(response);
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

Deno.test("prepared base64 pieces join into JSON for any text and length", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 12 });
  fc.assert(
    fc.property(text, text, text, (description, reason, query) => {
      const url = `http://a.test/?${query}`;
      const { v1, v2 } = read(
        new Challenge({ ...terms, description }).refuse(url, reason),
      );
      assert.deepEqual([v2.resource, v2.error], [
        { url, description, mimeType: terms.mimeType },
        reason,
      ]);
      assert.deepEqual([v1.accepts[0].resource, v1.error], [url, reason]);
    }),
  );
});

function whole({ before, text, after }: PreparedText): string {
  const decoder = new TextDecoder();
  return decoder.decode(before) + text + decoder.decode(after);
}

Deno.test("the prepared text is the status line and the header lines", () => {
  const reply = new Challenge(terms).ask("http://a.test/");
  const lines = [...reply.headers].map(([name, value]) => `${name}: ${value}\r\n`);
  const text = "HTTP/1.1 402 Payment Required\r\n" + lines.join("");
  assert.equal(whole(reply.prepared!.head), text);
  assert.equal(whole(reply.prepared!.body), reply.body);
});

Deno.test("a network that version 1 does not know is offered in version 2 only", () => {
  const { networkV1: _, ...v2Only } = terms;
  const { v1, v2 } = read(new Challenge(v2Only).refuse("http://a.test/", "why"));
  assert.deepEqual(v1, { x402Version: 1, accepts: [], error: "why" });
  assert.equal(v2.accepts.length, 1);
});

Deno.test("an unpaid request is answered the same the second time, whatever was done to the first", () => {
  const challenge = new Challenge(terms);
  const first = challenge.ask("http://a.test/");
  const changed = first.adding([["vary", "origin"]]);
  assert.equal(changed.prepared, undefined, "its prepared text is that of other lines");
  const second = challenge.ask("http://a.test/");
  assert.equal(second.headers.has("vary"), false);
  assert.deepEqual(read(second), read(first));
});
