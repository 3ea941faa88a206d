import assert from "node:assert/strict";
import { snapshotOf, startTestGateway } from "./support/test_gateway.ts";

Deno.test("a client that leaves in the middle of an upload, after an early reply, frees the backend", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const backendFreed = (async () => {
    using connection = await listener.accept();
    const buffer = new Uint8Array(64 * 1024);
    await connection.read(buffer);
    const early = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
    await connection.write(new TextEncoder().encode(early));
    try {
      while (await connection.read(buffer) !== null);
    } catch {
      // A reset frees it as well.
    }
  })();
  const limits = { connectOrHeadMs: 60_000, idleMs: 400, maxChunkedBodyBytes: 2 ** 30 };
  await using gateway = startTestGateway(snapshotOf(`http://127.0.0.1:${listener.addr.port}`, []), {
    proxy: limits,
  });
  const { port } = gateway.gateway.addresses.gateway;
  const client = await Deno.connect({ hostname: "127.0.0.1", port });
  const head = "POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\n" + "x".repeat(1000);
  await client.write(new TextEncoder().encode(head));
  const buffer = new Uint8Array(4096);
  const read = await client.read(buffer);
  assert.match(new TextDecoder().decode(buffer.subarray(0, read ?? 0)), /^HTTP\/1\.1 200 /);
  client.close();
  await backendFreed;
  listener.close();
});
