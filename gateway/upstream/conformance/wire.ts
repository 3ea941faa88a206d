import assert from "node:assert/strict";
import type { HeaderLine } from "../../http1/header_fields.ts";
import { latin1, rawBackend } from "../raw_sockets.ts";
import { type Case, openTransport, outcome, request, textOf } from "./rig.ts";

const empty = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
const proxyVariables = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

export const wireCases: readonly Case[] = [{
  name: "the request is sent as it was given",
  async run(transport, name) {
    await using backend = rawBackend(empty);
    const headers: HeaderLine[] = [
      ["accept-encoding", "gzip, br"],
      ["host", "Api.Example.com:81"],
      ["x-a", "1"],
      ["x-a", "\u00e9\u00ff\u0080"],
      ["cookie", "a=1"],
      ["cookie", "b=2"],
    ];
    const target = "/a%2Fb//;c/..%2f/%5c?d=%2e&e='\"";
    const parts = { method: "PURGE", target, headers };
    assert.equal(await outcome(transport, backend.url, parts), "200 ");
    const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    const sent = name === "http1"
      ? `PURGE ${target} HTTP/1.1\r\n${lines}\r\n`
      // fetch encodes quotes, adds lines of its own, and has to be kept from decoding.
      : `PURGE ${target.replace("'", "%27").replace('"', "%22")} HTTP/1.1\r\n` +
        `accept-encoding: identity\r\n${lines}` +
        "user-agent: x402-k8s-operator\r\naccept: */*\r\naccept-language: *\r\n\r\n";
    assert.equal(backend.requests[0], sent);
  },
}, {
  name: "header values keep their bytes, lines of one name their order",
  async run(transport) {
    await using backend = rawBackend(
      "HTTP/1.1 200 OK\r\nX-Caf: caf\u00e9\u0080\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n" +
        "x-twice: 1\r\nx-twice:\t 2 \r\nx-empty:\r\ncontent-length: 0\r\n\r\n",
    );
    const { headers } = await transport.send(request(backend.url));
    assert.equal(headers.get("x-caf"), "caf\u00e9\u0080");
    assert.equal(headers.get("x-twice"), "1, 2");
    assert.equal(headers.get("x-empty"), "");
    const cookies = [...headers].filter(([name]) => name === "set-cookie");
    assert.deepEqual(cookies, [["set-cookie", "a=1"], ["set-cookie", "b=2"]]);
  },
}, {
  name: "encoded replies pass as they are, whatever the client accepts",
  async run(transport) {
    const packing = new Blob(["hello"]).stream().pipeThrough(new CompressionStream("gzip"));
    const text = latin1(await new Response(packing).bytes());
    const lines = `content-encoding: gzip\r\ncontent-length: ${text.length}\r\n`;
    for (const accepted of [[], ["gzip, br"], ["identity"]]) {
      await using backend = rawBackend(`HTTP/1.1 200 OK\r\n${lines}\r\n${text}`);
      const accepting = accepted.map((value): HeaderLine => ["accept-encoding", value]);
      const reply = await transport.send(
        request(backend.url, { headers: [["host", "h"], ...accepting] }),
      );
      assert.equal(await textOf(reply.body!), text);
      assert.equal(reply.body!.length, text.length);
      assert.equal(reply.headers.get("content-encoding"), "gzip");
      assert.equal(reply.headers.get("content-length"), String(text.length));
    }
  },
}, {
  name: "the environment's HTTP proxy is not used, and stays set",
  async run(_transport, name) {
    await using proxy = rawBackend("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nproxy");
    await using backend = rawBackend("HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\nbackend");
    for (const variable of proxyVariables) Deno.env.set(variable, proxy.url);
    try {
      const transport = openTransport(name);
      for (const once of [true, false]) {
        assert.equal(await outcome(transport, backend.url, { once }), "200 backend");
      }
      transport.close();
      assert.equal(Deno.env.get("HTTP_PROXY"), proxy.url);
    } finally {
      for (const variable of proxyVariables) Deno.env.delete(variable);
    }
  },
}];
