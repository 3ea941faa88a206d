import assert from "node:assert/strict";
import { ClientRequest } from "./front/client_request.ts";
import { HeaderFields } from "./http1/header_fields.ts";
import { loggedRequest } from "./logged_request.ts";

function logged(method: string, target: string, host: string): string {
  const fields = HeaderFields.of([["host", host]]);
  const request = new ClientRequest({ method, target, minorVersion: 1, fields }, null, "192.0.2.1");
  return Object.values(loggedRequest(request)).join(" ");
}

const cases: readonly (readonly [string, string, string, string])[] = [
  ["GET", "/a/b", "a.test:80", "GET a.test:80 /a/b"],
  ["VERSION-CONTROL", "/", "[::1]:80", "VERSION-CONTROL [::1]:80 /"],
  ["GET", "/a?token=x", "a.test", "GET a.test /a"],
  ["GET", "/a#x", "a.test", "GET a.test /a"],
  ["GET", "http://user:x@a.test/b?x", "a.test", "GET a.test /b"],
  ["GET", "http://user:x@a.test", "a.test", "GET a.test (other)"],
  ["GET", "user:x@a.test:80", "a.test", "GET a.test (other)"],
  ["OPTIONS", "*", "x@a.test", "OPTIONS (other) (other)"],
  ["x7f3", "/", "", "(other) (other) /"],
  ["A".repeat(20), "/", "a.test", "(other) a.test /"],
  ["GET", `/${"a".repeat(9_999)}`, "b".repeat(9_999), `GET ${"b".repeat(256)} /${"a".repeat(255)}`],
];

for (const [method, target, host, expected] of cases) {
  const name = [method, target, host].map((text) => text.slice(0, 30)).join(" ");
  Deno.test(`loggedRequest() of ${name}`, () => {
    assert.equal(logged(method, target, host), expected);
  });
}
