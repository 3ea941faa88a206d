import assert from "node:assert/strict";
import { HeaderFields, type HeaderLine } from "../http1/header_fields.ts";
import { backendHeaders, clientHeaders, type Peer } from "./headers.ts";

const stranger: Peer = { address: "198.51.100.1", trusted: false, scheme: "http" };
const ownProxy: Peer = { address: "10.0.0.1", trusted: true, scheme: "http" };
const forwarded: readonly HeaderLine[] = [
  ["x-forwarded-for", "198.51.100.1"],
  ["x-forwarded-proto", "http"],
  ["x-forwarded-host", "h:80"],
];

/** What begins every request to a backend. */
const first: readonly HeaderLine[] = [["host", "h:80"], ["x-402-hops", "1"]];

function sent(
  lines: readonly HeaderLine[],
  peer = stranger,
  identity?: readonly HeaderLine[],
): HeaderLine[] {
  const received = lines.map(([name, value]): HeaderLine => [name.toLowerCase(), value]);
  return backendHeaders(HeaderFields.of(received), "h:80", peer, identity);
}

Deno.test("only what is about the message reaches the backend", () => {
  const removed: readonly HeaderLine[] = [
    ["connection", "keep-alive, X-Private, close"],
    ["x-private", "1"],
    ["keep-alive", "timeout=5"],
    ["te", "trailers"],
    ["trailer", "x-checksum"],
    ["upgrade", "h2c"],
    ["http2-settings", "AAMAAABkAAQAAP__"],
    ["expect", "100-continue"],
    ["transfer-encoding", "Chunked"],
    ["proxy-authorization", "Basic eDp5"],
    ["proxy-connection", "keep-alive"],
    ["Payment-Signature", "e30="],
    ["X-PAYMENT", "e30="],
    ["x_payment", "e30="],
    ["X-402-Payer", "0xforged"],
    ["X_402_Payer", "0xforged"],
    ["x-402_anything", "forged"],
    ["X-Forwarded-For", "forged"],
    ["X_Forwarded_Proto", "https"],
    ["x-forwarded-prefix", "/forged"],
    ["x-real-ip", "forged"],
    ["forwarded", "for=forged"],
    ["host", "other"],
    // The transport writes its own.
    ["content-length", "5"],
    ["content_length", "5"],
    ["Transfer_Encoding", "chunked"],
    ["x-original-url", "/free"],
    ["X_Rewrite_URL", "/free"],
  ];
  const kept: readonly HeaderLine[] = [
    ["accept-encoding", "br"],
    ["x-own_name", "1"],
    ["x-twice", "1"],
    ["cookie", "a=1"],
    ["x-twice", "2"],
    ["cookie", "b=2"],
  ];
  assert.deepEqual(sent([...removed, ...kept]), [...first, ...kept, ...forwarded]);
});

Deno.test("Connection cannot take away what the gateway writes", () => {
  const lines = sent([["connection", "host, x-402-hops, x-forwarded-for, x-402-payer"]], stranger, [
    ["x-402-payer", "0xreal"],
  ]);
  assert.deepEqual(lines, [...first, ...forwarded, ["x-402-payer", "0xreal"]]);
});

Deno.test("the gateways are counted, also where Connection names the header", () => {
  const lines = sent([["x-402-hops", "2"], ["connection", "x-402-hops"], ["via", "1.0 fred"]]);
  assert.deepEqual(lines.slice(0, 3), [["host", "h:80"], ["x-402-hops", "3"], ["via", "1.0 fred"]]);
});

Deno.test("a trusted proxy is believed, and appended to X-Forwarded-For", () => {
  const told: readonly HeaderLine[] = [
    ["forwarded", "for=192.0.2.1"],
    ["x-forwarded-host", "public.example.com"],
    ["x-forwarded-proto", "https"],
  ];
  assert.deepEqual(sent([...told, ["x-forwarded-for", "192.0.2.1"]], ownProxy), [
    ...first,
    ["x-forwarded-for", "192.0.2.1, 10.0.0.1"],
    ...told,
  ]);
  assert.deepEqual(sent([], ownProxy), [
    ...first,
    ["x-forwarded-for", "10.0.0.1"],
    ...forwarded.slice(1),
  ]);
});

Deno.test("behind TLS of the Ingress the backend is told https, so that it does not redirect for ever", () => {
  const lines = sent([], { ...stranger, scheme: "https" });
  assert.deepEqual(lines.find(([name]) => name === "x-forwarded-proto")?.[1], "https");
});

Deno.test("transfer codings other than exactly chunked are refused: request smuggling", () => {
  for (
    const coding of ["gzip, chunked", "chunked, chunked", "identity", "xchunked", "chunked;q=1"]
  ) {
    assert.throws(() => sent([["transfer-encoding", coding]]), {
      code: "invalid_transfer_encoding",
    });
  }
});

Deno.test("replies lose hop-by-hop lines and keep each Set-Cookie", () => {
  const reply = HeaderFields.of([
    ["connection", "keep-alive, X-Hop"],
    ["x-hop", "1"],
    ["keep-alive", "timeout=5"],
    ["transfer-encoding", "chunked"],
    ["content-encoding", "gzip"],
    ["set-cookie", "a=1"],
    ["set-cookie", "b=2"],
  ]);
  assert.deepEqual([...clientHeaders(reply)], [
    ["content-encoding", "gzip"],
    ["set-cookie", "a=1"],
    ["set-cookie", "b=2"],
  ]);
});
