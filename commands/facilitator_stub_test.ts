import assert from "node:assert/strict";
import { startFacilitatorStub } from "./facilitator_stub.ts";

async function call(path: string, body?: unknown) {
  const stub = startFacilitatorStub({ hostname: "127.0.0.1", port: 0 });
  try {
    const init = body === undefined ? {} : {
      method: "POST",
      body: typeof body === "string" ? body : JSON.stringify(body),
    };
    const reply = await fetch(`http://127.0.0.1:${stub.addr.port}${path}`, init);
    const json = await reply.json();
    // In every reply, errors included: nobody may take the stub for the real thing.
    assert.equal(reply.headers.get("x-facilitator-stub"), "accepts everything, moves no money");
    assert.equal(json.stub, true);
    return { status: reply.status, json };
  } finally {
    await stub.shutdown();
  }
}

const eip3009 = { x402Version: 1, payload: { authorization: { from: "0xPayer" } } };
const permit2 = { x402Version: 2, payload: { permit2Authorization: { from: "0xPayer" } } };

Deno.test("the stub accepts every payment and names its payer", async () => {
  for (const paymentPayload of [eip3009, permit2]) {
    const { json } = await call("/verify", { paymentPayload });
    assert.deepEqual(json, { isValid: true, payer: "0xPayer", stub: true });
  }
});

Deno.test("the stub settles each time with a fresh transaction hash", async () => {
  const message = { paymentPayload: eip3009, paymentRequirements: { network: "base" } };
  const first = (await call("/settle", message)).json;
  const second = (await call("/settle", message)).json;
  assert.match(first.transaction, /^0x[0-9a-f]{64}$/);
  assert.notEqual(first.transaction, second.transaction);
  const { transaction: _, ...rest } = first;
  assert.deepEqual(rest, { success: true, payer: "0xPayer", network: "base", stub: true });
});

Deno.test("the stub supports both versions on Base, every network, and names the one that is asked for", async () => {
  const { json } = await call("/supported?network=eip155:137");
  assert.deepEqual(
    json.kinds.map((kind: Record<string, unknown>) => `${kind.x402Version} ${kind.network}`),
    ["1 base", "2 eip155:8453", "1 base-sepolia", "2 eip155:84532", "2 eip155:*", "2 eip155:137"],
  );
});

Deno.test("the stub is healthy, and refuses only what it cannot read", async () => {
  assert.equal((await call("/healthz")).json.status, "ok");
  assert.equal((await call("/verify", "not JSON")).status, 400);
  assert.equal((await call("/verify", "null")).status, 200);
  assert.equal((await call("/elsewhere")).status, 404);
});
