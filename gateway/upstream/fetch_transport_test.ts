/** What is particular to `fetch`; the rest is in `transport_conformance_test.ts`. */
import assert from "node:assert/strict";
import { collectGarbage } from "../../tests/support/collect_garbage.ts";
import { Abort } from "./abort.ts";
import { outcome, Pieces, request } from "./conformance/rig.ts";
import { FetchTransport } from "./fetch_transport.ts";
import { always, rawBackend, readMessage, send } from "./raw_sockets.ts";

const empty = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

async function withTransport(test: (transport: FetchTransport) => Promise<void>): Promise<void> {
  const transport = new FetchTransport();
  try {
    await test(transport);
  } finally {
    transport.close();
  }
}

Deno.test("fetch: a client that names itself is not named by us", () =>
  withTransport(async (transport) => {
    await using backend = rawBackend(empty);
    const headers = [["host", "h"], ["user-agent", "own/1.0"], ["accept", "text/html"]] as const;
    await outcome(transport, backend.url, { headers: headers.map(([...line]) => line) });
    assert.match(backend.requests[0]!, /\r\nuser-agent: own\/1.0\r\naccept: text\/html\r\n/);
    assert.doesNotMatch(backend.requests[0]!, /x402|Deno/);
  }));

Deno.test("fetch: what cannot be sent again gets a connection of its own", () =>
  withTransport(async (transport) => {
    await using backend = rawBackend(always(empty));
    await outcome(transport, backend.url);
    await outcome(transport, backend.url);
    assert.equal(backend.connections, 1);
    const own = [{ once: true }, { method: "POST" }, { method: "PUT", body: new Pieces(["x"], 1) }];
    for (const parts of own) assert.equal(await outcome(transport, backend.url, parts), "200 ");
    assert.equal(backend.connections, 4);
  }));

Deno.test("fetch: an abort ends the body also after a garbage collection", () =>
  withTransport(async (transport) => {
    await using backend = rawBackend(async (connection) => {
      await send(connection, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n");
      await readMessage(connection);
    });
    const abort = new Abort();
    const { body } = await transport.send(request(backend.url, { abort }));
    await body!.read();
    const reading = body!.read();
    await collectGarbage();
    abort.abort("my reason");
    await assert.rejects(reading, (error) => error === "my reason");
    await backend.clientClosed;
  }));
