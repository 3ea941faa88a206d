/** Ways to get something paid for nothing, or to pay for nothing, that were tried and once worked. */
import assert from "node:assert/strict";
import { startPaidApi } from "./rig/paid_api.ts";
import { signPayment, usdcRequirements } from "./rig/sign_payment.ts";
import { type Answer, startScriptedFacilitator } from "./support/scripted_facilitator.ts";
import { rule, snapshotOf, startTestGateway, usdcTerms } from "./support/test_gateway.ts";
import type { PaymentTerms, RouteSnapshot } from "../store/route_snapshot.ts";

function setUp(changes: Partial<PaymentTerms> = {}) {
  const api = startPaidApi();
  const facilitator = startScriptedFacilitator();
  const terms = usdcTerms(facilitator.url, changes);
  const access = { kind: "paid", terms } as const;
  const gateway = startTestGateway(snapshotOf(api.url, [rule("/paid/**", access)]));
  return {
    api,
    facilitator,
    gateway,
    terms,
    access,
    sign: async (message?: Record<string, unknown>) => {
      const requirements = usdcRequirements(2, terms.amount, terms.payTo);
      return await signPayment({ version: 2, buyer: 1, requirements, ...(message && { message }) });
    },
    send: async (path: string, header: [string, string], init: RequestInit = {}) => {
      const headers = [header, ...(init.headers as [string, string][] ?? [])];
      const response = await fetch(gateway.url + path, { ...init, headers });
      return { status: response.status, headers: response.headers, text: await response.text() };
    },
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await facilitator[Symbol.asyncDispose]();
      await api[Symbol.asyncDispose]();
    },
  };
}

Deno.test("a payload with two authorizations: one checked here, the other charged there", async () => {
  await using bed = setUp();
  const { message } = await bed.sign();
  const permit2Authorization = {
    permitted: { token: bed.terms.asset, amount: "1000" },
    from: "0x" + "ab".repeat(20),
    nonce: "7",
    deadline: "99999999999",
    witness: { to: bed.terms.payTo, validAfter: "0" },
  };
  const payload = { ...(message.payload as object), permit2Authorization };
  const header = btoa(JSON.stringify({ ...message, payload }));
  const reply = await bed.send("/paid/x", ["payment-signature", header]);
  assert.deepEqual([reply.status, JSON.parse(reply.text).error], [400, "payment_malformed"]);
  assert.equal(bed.facilitator.received["/verify"].length, 0);
});

Deno.test("a facilitator that verifies another payer", async () => {
  await using bed = setUp();
  bed.facilitator.answers["/verify"] = { json: { isValid: true, payer: "0x" + "11".repeat(20) } };
  const reply = await bed.send("/paid/x", (await bed.sign()).header);
  assert.deepEqual([reply.status, bed.api.received.length], [502, 0]);
});

Deno.test("a preflight to a backend that answers OPTIONS like GET", async () => {
  await using bed = setUp();
  const headers: [string, string][] = [
    ["access-control-request-method", "GET"],
    ["authorization", "Bearer secret"],
    ["x-http-method-override", "GET"],
  ];
  const init = { method: "OPTIONS", headers, body: "do it" };
  const reply = await bed.send("/paid/x", ["origin", "https://a.test"], init);
  assert.deepEqual([reply.status, reply.text], [200, ""]);
  const [received] = bed.api.received;
  assert.equal(received?.body, "");
  assert.equal(received?.headers["authorization"], undefined);
  assert.equal(received?.headers["x-http-method-override"], undefined);
  assert.equal(received?.headers["access-control-request-method"], "GET");
});

const spellings = [
  "//x/paid/y",
  "//paid/y",
  "/%2Fx/paid/y",
  "/paid%2Fy",
  "/paid%252Fy",
  "/paid%252F%25FF",
  "/x/..%2Fpaid/y",
  "/paid;v=1/y",
  "/paid%3Fx/y",
  "/paid%2500/y",
];

Deno.test("spellings of a paid path that some backend reads as the paid one", async (t) => {
  for (const path of spellings) {
    await t.step(path, async () => {
      await using bed = setUp();
      const connection = await Deno.connect({
        hostname: "127.0.0.1",
        port: bed.gateway.gateway.addresses.gateway.port,
      });
      const request = `GET ${path} HTTP/1.1\r\nhost: a.test\r\n\r\n`;
      await connection.write(new TextEncoder().encode(request));
      const buffer = new Uint8Array(4096);
      const read = await connection.read(buffer);
      connection.close();
      assert.match(new TextDecoder().decode(buffer.subarray(0, read ?? 0)), /^HTTP\/1\.1 40[02] /);
      assert.equal(bed.api.received.length, 0);
    });
  }
});

Deno.test("a header that asks the backend for another method", async () => {
  await using bed = setUp();
  bed.gateway.gateway.publish(snapshotOf(bed.api.url, [rule("/paid/**", bed.access, ["POST"])]));
  const reply = await bed.send("/paid/x", ["X-HTTP-Method-Override", "POST"]);
  assert.deepEqual([reply.status, JSON.parse(reply.text).error], [400, "ambiguous_method"]);
  const get = await bed.send("/paid/x", ["accept", "*/*"]);
  assert.equal(get.status, 200);
});

Deno.test("a condition on X-Forwarded-For does not believe strangers", async () => {
  await using bed = setUp();
  const conditions = [{ header: "x-forwarded-for", pattern: "^10\\.", action: "free" }] as const;
  const access = { ...bed.access, conditions, conditionDefault: "pay" } as const;
  bed.gateway.gateway.publish(snapshotOf(bed.api.url, [rule("/paid/**", access)]));
  const reply = await bed.send("/paid/x", ["x-forwarded-for", "10.0.0.1"]);
  assert.equal(reply.status, 402);
});

const unsendable: [name: string, status: number, header: [string, string], method?: string][] = [
  ["a method that fetch would change", 405, ["accept", "*/*"], "TRACE"],
  ["a transfer coding", 501, ["transfer-encoding", "gzip, chunked"]],
  ["a handshake without a key", 400, ["upgrade", "websocket"]],
];

for (const settle of ["after-response", "before-request"] as const) {
  Deno.test(`${settle}: what cannot be sent to the backend is neither charged nor used up`, async (t) => {
    await using bed = setUp({ settle });
    const { header } = await bed.sign();
    for (const [name, status, line, method = "GET"] of unsendable) {
      await t.step(name, async () => {
        const { port } = bed.gateway.gateway.addresses.gateway;
        const connection = await Deno.connect({ hostname: "127.0.0.1", port });
        const lines = [`${method} /paid/x HTTP/1.1`, "host: a", header.join(": "), line.join(": ")];
        await connection.write(new TextEncoder().encode(lines.join("\r\n") + "\r\n\r\n"));
        const buffer = new Uint8Array(4096);
        const read = await connection.read(buffer);
        connection.close();
        const reply = new TextDecoder().decode(buffer.subarray(0, read ?? 0));
        assert.match(reply, new RegExp(`^HTTP/1\\.1 ${status} `));
      });
    }
    await t.step("a backend that is not configured", async () => {
      const missing: RouteSnapshot = {
        ...snapshotOf(bed.api.url, [rule("/paid/**", bed.access)]),
        hosts: [{
          host: "",
          paths: [{ path: "/", pathType: "Prefix", ingress: 0, backend: { unresolved: "gone" } }],
        }],
      };
      bed.gateway.gateway.publish(missing);
      assert.equal((await bed.send("/paid/x", header)).status, 503);
      assert.equal((await bed.send("/paid/x", ["accept", "*/*"])).status, 503, "and not offered");
      bed.gateway.gateway.publish(snapshotOf(bed.api.url, [rule("/paid/**", bed.access)]));
    });
    assert.equal(bed.facilitator.received["/settle"].length, 0);
    assert.equal((await bed.send("/paid/x", header)).status, 200, "it still pays");
  });
}

const settlements: [name: string, json: unknown, status: number, error: string][] = [
  ["a refusal", { errorReason: "insufficient_funds" }, 402, "insufficient_funds"],
  ["a reason with any character", { errorReason: "can’t pay" }, 503, "settlement_unknown"],
  ["an unexpected error", { errorReason: "unexpected_settle_error" }, 503, "settlement_unknown"],
  ["a timeout", { errorReason: "confirmation_timed_out" }, 503, "settlement_unknown"],
  [
    "a refusal that names a transaction",
    { errorReason: "no", transaction: "0x" + "5e".repeat(32) },
    503,
    "settlement_unknown",
  ],
  [
    "a reverted transaction",
    { errorReason: "invalid_exact_evm_transaction_failed", transaction: "0x" + "5e".repeat(32) },
    402,
    "invalid_exact_evm_transaction_failed",
  ],
  [
    "a transaction that is no hash",
    { success: true, transaction: "0x✓\r\nx: y" },
    503,
    "settlement_unknown",
  ],
  [
    "the network by its other name",
    { success: true, transaction: "0x" + "5e".repeat(32), network: "base-sepolia" },
    200,
    "",
  ],
];

Deno.test("answers to /settle that are neither a clear yes nor a clear no", async (t) => {
  for (const [name, answer, status, error] of settlements) {
    await t.step(name, async () => {
      await using bed = setUp();
      const json: Answer = { json: { success: false, ...(answer as object) } };
      bed.facilitator.answers["/settle"] = json;
      const reply = await bed.send("/paid/x", (await bed.sign()).header);
      assert.equal(reply.status, status);
      if (error !== "") assert.equal(JSON.parse(reply.text).error, error);
      assert.equal(reply.headers.has("payment-response"), status !== 503);
    });
  }
});
