/** Nothing that costs money is sent again when a kept-alive connection turns out to be dead. */
import assert from "node:assert/strict";
import { startPaidApi } from "./rig/paid_api.ts";
import { signPayment, usdcRequirements } from "./rig/sign_payment.ts";
import { startClosingServer } from "./support/closing_server.ts";
import { startScriptedFacilitator } from "./support/scripted_facilitator.ts";
import { rule, snapshotOf, startTestGateway, usdcTerms } from "./support/test_gateway.ts";

async function payTimes(count: number, url: string, payTo: string): Promise<number[]> {
  const statuses: number[] = [];
  for (let i = 0; i < count; i++) {
    const requirements = usdcRequirements(2, "1000", payTo);
    const { header } = await signPayment({ version: 2, buyer: 1, requirements });
    const reply = await fetch(`${url}/paid`, { headers: [header] });
    await reply.body?.cancel();
    statuses.push(reply.status);
  }
  return statuses;
}

Deno.test("paid requests reach the backend once each when keep-alive timeouts run out", async () => {
  await using backend = startClosingServer(() => "served", "after-reply");
  await using facilitator = startScriptedFacilitator();
  const terms = usdcTerms(facilitator.url);
  const snapshot = snapshotOf(backend.url, [rule("/paid", { kind: "paid", terms })]);
  await using gateway = startTestGateway(snapshot);
  assert.deepEqual(await payTimes(3, gateway.url, terms.payTo), [200, 200, 200]);
  assert.equal(backend.requests.length, 3);
});

Deno.test("settlements are sent once each when keep-alive timeouts run out", async () => {
  await using api = startPaidApi();
  const settled = { success: true, transaction: "0x" + "5e".repeat(32), network: "eip155:84532" };
  await using facilitator = startClosingServer(
    (line) => line.includes("/settle") ? settled : { isValid: true },
    "after-reply",
  );
  const terms = usdcTerms(facilitator.url);
  const snapshot = snapshotOf(api.url, [rule("/paid", { kind: "paid", terms })]);
  await using gateway = startTestGateway(snapshot);
  assert.deepEqual(await payTimes(3, gateway.url, terms.payTo), [200, 200, 200]);
  const settlements = facilitator.requests.filter((line) => line.includes("/settle"));
  assert.equal(settlements.length, 3);
});

Deno.test("a connection that ends while a paid request is on it: sent once, not charged", async () => {
  await using backend = startClosingServer(() => "served", "at-second-request");
  await using facilitator = startScriptedFacilitator();
  const terms = usdcTerms(facilitator.url);
  const snapshot = snapshotOf(backend.url, [rule("/paid", { kind: "paid", terms })]);
  await using gateway = startTestGateway(snapshot);
  assert.deepEqual(await payTimes(3, gateway.url, terms.payTo), [200, 502, 200]);
  assert.equal(backend.requests.length, 3);
  assert.equal(facilitator.received["/settle"].length, 2);
});

Deno.test("a connection that ends while a settlement is on it: sent once, in doubt, no new offer", async () => {
  await using api = startPaidApi();
  await using facilitator = startClosingServer(
    (line) => line.includes("/settle") ? {} : { isValid: true },
    "at-second-request",
  );
  const terms = usdcTerms(facilitator.url);
  const snapshot = snapshotOf(api.url, [rule("/paid", { kind: "paid", terms })]);
  await using gateway = startTestGateway(snapshot);
  assert.deepEqual(await payTimes(1, gateway.url, terms.payTo), [503]);
  const settlements = facilitator.requests.filter((line) => line.includes("/settle"));
  assert.equal(settlements.length, 1);
});

Deno.test("a connection stays usable after a 402 to a client that was still sending", async () => {
  const terms = usdcTerms("http://127.0.0.1:1");
  const snapshot = snapshotOf("http://127.0.0.1:1", [rule("/**", { kind: "paid", terms })]);
  await using gateway = startTestGateway(snapshot);
  const { port } = gateway.gateway.addresses.gateway;
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const writer = connection.writable.getWriter();
  const replies = readReplies(connection);
  const send = (text: string) => writer.write(new TextEncoder().encode(text));
  await send("POST /x HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n");
  for (let i = 0; i < 100; i++) await send(`10000\r\n${"x".repeat(0x10000)}\r\n`);
  await send("0\r\n\r\n");
  await send("GET /y HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
  assert.equal((await replies).match(/HTTP\/1\.1 402 /g)?.length, 2);
});

async function readReplies(connection: Deno.Conn): Promise<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(16 * 1024);
  let text = "";
  for (let read; (read = await connection.read(buffer)) !== null;) {
    text += decoder.decode(buffer.subarray(0, read), { stream: true });
  }
  return text;
}
