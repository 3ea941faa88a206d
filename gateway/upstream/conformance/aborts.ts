import assert from "node:assert/strict";
import { Abort } from "../abort.ts";
import { rawBackend, readMessage, send } from "../raw_sockets.ts";
import { type Case, Pieces, request, silent } from "./rig.ts";

const reason = { name: "the very reason" };
const isReason = (error: unknown) => error === reason;

export const abortCases: readonly Case[] = [{
  name: "aborted before it is sent: the reason, and no request",
  async run(transport) {
    await using backend = rawBackend("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    const abort = new Abort();
    abort.abort(reason);
    await assert.rejects(transport.send(request(backend.url, { abort })), isReason);
    assert.equal(backend.requests.length, 0);
  },
}, {
  name: "aborted before the head: the reason, and the backend sees the end",
  async run(transport) {
    const abort = new Abort();
    await using backend = rawBackend(async (connection) => {
      abort.abort(reason);
      abort.abort("too late");
      await readMessage(connection);
    });
    await assert.rejects(transport.send(request(backend.url, { abort })), isReason);
    await backend.clientClosed;
  },
}, {
  name: "aborted in the head",
  async run(transport) {
    const abort = new Abort();
    await using backend = rawBackend(async (connection) => {
      await send(connection, "HTTP/1.1 200 OK\r\ncontent-");
      setTimeout(() => abort.abort(reason), 20);
      await readMessage(connection);
    });
    await assert.rejects(transport.send(request(backend.url, { abort })), isReason);
    await backend.clientClosed;
  },
}, {
  name: "aborted in the body: the reason for whoever reads it, then and later",
  async run(transport) {
    const abort = new Abort();
    await using backend = rawBackend(async (connection) => {
      await send(connection, "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok");
      await readMessage(connection);
    });
    const { body } = await transport.send(request(backend.url, { abort }));
    await body!.read();
    const waiting = body!.read();
    abort.abort(reason);
    await assert.rejects(waiting, isReason);
    await assert.rejects(body!.read(), isReason);
    await backend.clientClosed;
  },
}, {
  name: "aborted while nobody reads the body",
  async run(transport) {
    const abort = new Abort();
    await using backend = rawBackend(async (connection) => {
      await send(connection, "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok");
      await readMessage(connection);
    });
    const { body } = await transport.send(request(backend.url, { abort }));
    abort.abort(reason);
    await backend.clientClosed;
    await assert.rejects(body!.read(), isReason);
  },
}, {
  name: "aborted in the upload: its source is told, the backend sees no end of it",
  async run(transport) {
    const abort = new Abort();
    const body = new Pieces(["hello"], undefined, silent);
    let received = "";
    await using backend = rawBackend(async (connection, head) => {
      received = head;
      if (!head.includes("hello")) received += await readMessage(connection) ?? "";
      abort.abort(reason);
      received += await readMessage(connection) ?? "";
    });
    const sending = transport.send(request(backend.url, { method: "POST", abort, body }));
    await assert.rejects(sending, isReason);
    await body.cancelled;
    await backend.clientClosed;
    assert.doesNotMatch(received, /\r\n0\r\n/);
  },
}, {
  name: "aborted when it is over: nothing happens",
  async run(transport) {
    const abort = new Abort();
    await using backend = rawBackend(async (connection) => {
      await send(connection, "HTTP/1.1 204 x\r\n\r\n");
    });
    for (let count = 0; count < 2; count++) {
      assert.equal((await transport.send(request(backend.url, { abort }))).status, 204);
      if (count === 1) abort.abort(reason);
    }
    assert.equal((await transport.send(request(backend.url))).status, 204);
    assert.equal(backend.connections, 1);
  },
}];
