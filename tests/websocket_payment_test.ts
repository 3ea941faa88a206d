/** A WebSocket is priced at its handshake and settled between the backend's accept and the 101. */
import assert from "node:assert/strict";
import { startPaidApi } from "./rig/paid_api.ts";
import { signPayment, usdcRequirements } from "./rig/sign_payment.ts";
import { paymentBecomes } from "./support/payment_becomes.ts";
import { startScriptedFacilitator } from "./support/scripted_facilitator.ts";
import { rule, snapshotOf, startTestGateway, usdcTerms } from "./support/test_gateway.ts";

function setUp() {
  const api = startPaidApi();
  const facilitator = startScriptedFacilitator();
  const terms = usdcTerms(facilitator.url);
  const paid = rule("/socket", { kind: "paid", terms });
  const gateway = startTestGateway(snapshotOf(api.url, [paid]));
  return {
    api,
    facilitator,
    gateway,
    payment: async () => {
      const requirements = usdcRequirements(2, terms.amount, terms.payTo);
      return (await signPayment({ version: 2, buyer: 1, requirements })).header;
    },
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await facilitator[Symbol.asyncDispose]();
      await api[Symbol.asyncDispose]();
    },
  };
}

/** The handshake by hand, because a WebSocket client does not show the headers of the reply. */
async function handshake(url: string, headers: [string, string][]): Promise<string> {
  const connection = await openHandshake(url, headers);
  const buffer = new Uint8Array(16 * 1024);
  const read = await connection.read(buffer);
  connection.close();
  return new TextDecoder().decode(buffer.subarray(0, read ?? 0));
}

async function openHandshake(url: string, headers: [string, string][]): Promise<Deno.TcpConn> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(url).port) });
  const lines = [
    "GET /socket HTTP/1.1",
    "host: a.test",
    "upgrade: websocket",
    "connection: Upgrade",
    "sec-websocket-version: 13",
    "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
    ...headers.map(([name, value]) => `${name}: ${value}`),
  ];
  await connection.write(new TextEncoder().encode(lines.join("\r\n") + "\r\n\r\n"));
  return connection;
}

Deno.test("a paid WebSocket: 402 unpaid, echo and one settlement when paid", async () => {
  await using bed = setUp();
  assert.match(await handshake(bed.gateway.url, []), /^HTTP\/1\.1 402 /);
  assert.equal(bed.api.received.length, 0);

  const url = bed.gateway.url.replace("http", "ws") + "/socket";
  const WebSocketWithHeaders = WebSocket as unknown as new (
    url: string,
    options: { headers: [string, string][] },
  ) => WebSocket;
  const socket = new WebSocketWithHeaders(url, { headers: [await bed.payment()] });
  const echoed = Promise.withResolvers<string>();
  const closed = Promise.withResolvers<void>();
  socket.onopen = () => socket.send("hello");
  socket.onmessage = ({ data }) => echoed.resolve(data);
  socket.onclose = () => closed.resolve();
  socket.onerror = (event) => echoed.reject(event);
  assert.equal(await echoed.promise, "hello");
  socket.close();
  await closed.promise;
  assert.equal(bed.facilitator.received["/settle"].length, 1);
  const { headers } = bed.api.received[0]!;
  assert.equal(headers["x-402-amount"], "1000");
  assert.equal(headers["payment-signature"], undefined);
});

Deno.test("a paid WebSocket gets its receipt with the 101, or 402 when settlement is refused", async () => {
  await using bed = setUp();
  const accepted = await handshake(bed.gateway.url, [await bed.payment()]);
  assert.match(accepted, /^HTTP\/1\.1 101 /);
  assert.match(accepted, /\r\npayment-response: /i);
  bed.facilitator.answers["/settle"] = {
    json: { success: false, errorReason: "insufficient_funds" },
  };
  const refused = await handshake(bed.gateway.url, [await bed.payment()]);
  assert.match(refused, /^HTTP\/1\.1 402 /);
});

Deno.test("a client that leaves before its 101 is owed the WebSocket that it has paid for", async () => {
  await using bed = setUp();
  const { promise: hold, resolve: goOn } = Promise.withResolvers<void>();
  const json = { success: true, transaction: `0x${"5e".repeat(32)}`, network: "eip155:84532" };
  bed.facilitator.answers["/settle"] = { json, after: hold };
  const settling = bed.facilitator.called("/settle");
  const payment = await bed.payment();
  const connection = await openHandshake(bed.gateway.url, [payment]);
  await settling;
  connection.close();
  // The runtime hears of it within its next turns; the settlement comes after that.
  await new Promise((resolve) => setTimeout(resolve, 300));
  goOn();
  await paymentBecomes(bed.gateway.ledger, "undelivered");
  assert.match(await handshake(bed.gateway.url, [payment]), /^HTTP\/1\.1 101 /);
  assert.equal(bed.facilitator.received["/settle"].length, 1);
});
