import assert from "node:assert/strict";
import { LoadClient } from "./load_client.ts";
import type { LoadPlan } from "./load_plan.ts";

/** Loads a server that answers with what `reply` returns. */
async function load(
  changes: Partial<LoadPlan>,
  reply: (request: Request) => Response = () => new Response("x".repeat(4000)),
) {
  await using client = await LoadClient.start();
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, reply);
  return await client.run({
    port: server.addr.port,
    path: "/",
    hosts: 1,
    connections: 4,
    seconds: 20,
    maxRequests: 101,
    expectedStatus: 200,
    pids: [Deno.pid],
    ...changes,
  });
}

Deno.test("the load ends at the given number of requests, all of them answered", async () => {
  let requests = 0;
  const { p50, p99, ...result } = await load({}, () => {
    requests++;
    return new Response("x".repeat(400_000));
  });
  assert.equal(result.requests, 101);
  // One more on every connection, before the clock starts.
  assert.equal(requests, 101 + 4);
  assert.ok(p50 > 0 && p50 <= p99);
});

Deno.test("the CPU of the server is counted", async () => {
  const { serverCpuSeconds, seconds } = await load({});
  assert.ok(serverCpuSeconds > 0 && serverCpuSeconds < 2 * seconds, `${serverCpuSeconds} s`);
});

Deno.test("a reply with another status ends the load with an error", async () => {
  const failing = load({}, () => new Response("no", { status: 500 }));
  await assert.rejects(failing, /A reply has status 500 instead of 200/);
});

Deno.test("a reply of another status but the usual length ends the load with an error", async () => {
  let replies = 0;
  const failing = load({}, () => new Response("same", { status: ++replies < 50 ? 200 : 201 }));
  await assert.rejects(failing, /A reply has status 201 instead of 200/);
});

Deno.test("a reply with a shorter body ends the load with an error", async () => {
  let replies = 0;
  const failing = load({ expectedBytes: 2 }, () => new Response(++replies < 50 ? "ok" : "o"));
  await assert.rejects(failing, /A body has 1 bytes instead of 2/);
});

Deno.test("a connection that the server closes ends the load with an error", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const closing = (async () => {
    for await (using connection of listener) {
      await connection.read(new Uint8Array(1024));
      const reply = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
      await connection.write(new TextEncoder().encode(reply));
    }
  })();
  await assert.rejects(load({ port: listener.addr.port }), /A connection ended/);
  listener.close();
  await closing;
});

Deno.test("the latency of a stream is that of its first byte", async () => {
  const { p50 } = await load({ connections: 1, maxRequests: 3 }, () => {
    const stream = new ReadableStream<string>({
      start(controller) {
        controller.enqueue("data: 1\n\n");
        setTimeout(() => controller.close(), 300);
      },
    });
    return new Response(stream.pipeThrough(new TextEncoderStream()));
  });
  assert.ok(p50 < 200, `${p50} ms`);
});

Deno.test("the requests go round the hosts", async () => {
  const hosts = new Set<string>();
  await load({ hosts: 7 }, ({ headers }) => {
    hosts.add(headers.get("host")!);
    return new Response("ok");
  });
  assert.equal(hosts.size, 7);
});

Deno.test("every paid request carries a nonce of its own", async () => {
  const nonces: string[] = [];
  const paymentFor = { payTo: "0x1f6004907Adc7d313768b85917e069e011150390", amount: "1000" };
  await load({ paymentFor }, ({ headers }) => {
    const payment = JSON.parse(atob(headers.get("payment-signature")!));
    nonces.push(payment.payload.authorization.nonce);
    return new Response("ok");
  });
  assert.equal(nonces.length, 105);
  assert.equal(new Set(nonces).size, 105);
});
