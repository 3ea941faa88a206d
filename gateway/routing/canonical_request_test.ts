import assert from "node:assert/strict";
import fc from "fast-check";
import type { FailureCode } from "../failures.ts";
import { Failure } from "../failures.ts";
import { FrontRig, ok } from "../front/front_rig.ts";
import { HeaderFields } from "../http1/header_fields.ts";
import { type RawBackend, rawBackend } from "../upstream/raw_sockets.ts";
import { canonicalPath } from "./canonical_path.ts";
import { canonicalRequest } from "./canonical_request.ts";

/** What canonicalRequest makes of raw bytes that went through the front. */
async function throughFront(head: string): Promise<string> {
  let result = "refused by the front";
  await using rig = new FrontRig((request) => {
    try {
      const { host, authority, path, query } = canonicalRequest(request);
      result = `${host} ${authority} ${path} ${query}`;
    } catch (error) {
      result = (error as Failure).code;
    }
    return ok();
  });
  await rig.exchange(`${head}\r\nConnection: close\r\n\r\n`);
  return result;
}

Deno.test("what a raw request head becomes", async (t) => {
  const cases: [head: string, result: string][] = [
    ["GET /a HTTP/1.1\r\nHost: Api.Example.com:81", "api.example.com Api.Example.com:81 /a "],
    ["GET /a?b=%2e HTTP/1.1\r\nHost: h.", "h h. /a ?b=%2e"],
    ["GET /a? HTTP/1.1\r\nHost: [::1]:80", "[::1] [::1]:80 /a ?"],
    ["GET / HTTP/1.1\r\nHost: a_b.c", "a_b.c a_b.c / "],
    ["GET /a HTTP/1.1\r\nHost: evil.com/../x", "invalid_host"],
    ["GET /a HTTP/1.1\r\nHost: e?x", "invalid_host"],
    ["GET /a HTTP/1.1\r\nHost: e#x", "invalid_host"],
    ["GET /a HTTP/1.1\r\nHost: u@h", "invalid_host"],
    ["GET /a HTTP/1.1\r\nHost: h\\x", "invalid_host"],
    ["GET /a HTTP/1.1\r\nHost: a..b", "invalid_host"],
    ["GET /a HTTP/1.1\r\nHost: h:", "invalid_host"],
    ["GET /a HTTP/1.1\r\nHost: h:65536", "invalid_host"],
    [`GET /a HTTP/1.1\r\nHost: ${"a.".repeat(127)}a`, "invalid_host"],
    ["GET /a HTTP/1.1\r\nHost: [::1", "invalid_host"],
    ["GET /a HTTP/1.1\r\nHost: [1.2.3.4]", "invalid_host"],
    ["GET /a HTTP/1.1\r\nHost: \u00e9x", "invalid_host"],
    ["GET /a HTTP/1.1\r\nHost:", "invalid_host"],
    ["GET /a HTTP/1.1\r\nX: y", "invalid_host"],
    ["GET /a HTTP/1.1\r\nHost: h\r\nHost: h", "invalid_host"],
    ["GET /a HTTP/1.1\r\nHost: h, h", "invalid_host"],
    // Absolute form, RFC 9112, 3.2.2: only for the host that Host names.
    ["GET http://h/a?b HTTP/1.1\r\nHost: h", "h h /a ?b"],
    ["GET http://other/a HTTP/1.1\r\nHost: h", "invalid_host"],
    ["GET http://h@other/a HTTP/1.1\r\nHost: h", "invalid_path"],
    ["GET http://h.other/a HTTP/1.1\r\nHost: h", "invalid_path"],
    ["GET http://h:81/a HTTP/1.1\r\nHost: h", "invalid_path"],
    ["GET https://h/a HTTP/1.1\r\nHost: h", "invalid_host"],
    ["GET abcd://h/a HTTP/1.1\r\nHost: h", "invalid_host"],
    ["GET http://h?a HTTP/1.1\r\nHost: h", "invalid_path"],
    ["GET /a#f HTTP/1.1\r\nHost: h", "invalid_path"],
    ["GET /a?b#f HTTP/1.1\r\nHost: h", "invalid_path"],
    ["CONNECT h:80 HTTP/1.1\r\nHost: h:80", "invalid_path"],
    ["OPTIONS * HTTP/1.1\r\nHost: h", "invalid_path"],
    ["GET * HTTP/1.1\r\nHost: h", "invalid_path"],
    ["OPTIONS /* HTTP/1.1\r\nHost: h", "h h /* "],
    ["GET a HTTP/1.1\r\nHost: h", "invalid_path"],
    ["GET ?a HTTP/1.1\r\nHost: h", "invalid_path"],
    ["GET //h/a HTTP/1.1\r\nHost: h", "h h //h/a "],
    ["GET /\u00e9 HTTP/1.1\r\nHost: h", "refused by the front"],
    ["GET /a\u0001b HTTP/1.1\r\nHost: h", "refused by the front"],
  ];
  for (const [head, result] of cases) {
    await t.step(JSON.stringify(head), async () => {
      assert.equal(await throughFront(head), result);
    });
  }
});

const accepted: [raw: string, canonical: string][] = [
  ["/", "/"],
  ["/a/b/", "/a/b/"],
  ["//a", "//a"],
  ["/%41%7e%2D%5f", "/A~-_"],
  ["/%c3%a9", "/%C3%A9"],
  ["/\u00e9\u{1f600}", "/%C3%A9%F0%9F%98%80"],
  ['/"<>`{}', "/%22%3C%3E%60%7B%7D"],
  ["/!$&'()*+,-.;=:@[]^_|~", "/!$&'()*+,-.;=:@[]^_|~"],
  ["/a%2fb%5cc%40", "/a%2Fb%5Cc%40"],
  ["/%2561", "/%2561"],
  ["/...", "/..."],
  ["/.a/a./..a", "/.a/a./..a"],
  ["/;x", "/;x"],
  ["/" + "a".repeat(8191), "/" + "a".repeat(8191)],
];

Deno.test("canonical paths", () => {
  for (const [raw, canonical] of accepted) assert.equal(canonicalPath(raw), canonical, raw);
});

Deno.test("paths that cannot be made canonical are refused", () => {
  const refused = [
    "",
    "a",
    ...["/.", "/..", "/a/../b", "/a/.", "/a/./b", "/%2e", "/a/%2E%2e/b", "/.%2e", "/%2e./"],
    ...["/a\\b", "/..\\b", "/a\0b", "/a\tb", "/a\x7fb", "/%00", "/a%00.json", "/a#b", "/a?b"],
    ...["/%", "/%4", "/%zz", "/a%2", "/%%41"],
    // Not UTF-8: a lone byte, an overlong "/", an overlong ".", a surrogate, beyond U+10FFFF.
    ...["/%ff", "/%c0%af", "/%c0%ae%c0%ae/", "/%ed%a0%80", "/%f4%90%80%80", "/%c3", "/\ud800"],
    "/" + "a".repeat(8192),
  ];
  for (const raw of refused) {
    assert.throws(() => canonicalPath(raw), { code: "invalid_path" satisfies FailureCode }, raw);
  }
});

const anyPath = fc.string({
  unit: fc.oneof(
    fc.constantFrom("/", ".", "..", "%2e", "%2F", "%5c", "%25", "%41", "%00", ";", "\\", "%c3%a9"),
    fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
  ),
}).map((text) => "/" + text);

Deno.test("canonicalPath is idempotent and its result stays in its alphabet", () => {
  fc.assert(fc.property(anyPath, (raw) => {
    let once: string;
    try {
      once = canonicalPath(raw);
    } catch (error) {
      return assert.ok(error instanceof Failure);
    }
    assert.equal(canonicalPath(once), once);
    assert.match(once, /^\/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/[\]^|]|%[0-9A-F]{2})*$/);
  }));
});

/** What the backend saw in the request line when fetch was given this path and query. */
async function asSent(backend: RawBackend, target: string): Promise<string> {
  await (await fetch(backend.url + target)).body?.cancel();
  return /^GET (\S+) HTTP/.exec(backend.requests.at(-1) ?? "")?.[1] ?? "";
}

Deno.test("for every byte, fetch sends exactly the canonical path and query", async () => {
  await using backend = rawBackend(
    "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
  );
  for (let code = 0x21; code < 0x100; code++) {
    const character = String.fromCharCode(code);
    if (character === "?" || character === "#") continue;
    const raw = `/a${character}b?c${character}d`;
    let target: { path: string; query: string };
    try {
      target = canonicalRequest({ target: raw, headers: HeaderFields.of([["host", "h"]]) });
    } catch (error) {
      assert.match(character, /[\\%\x7f]/, (error as Error).message);
      continue;
    }
    assert.equal(await asSent(backend, target.path + target.query), target.path + target.query);
  }
  for (const [, path] of accepted) assert.equal(await asSent(backend, path), path);
});
