import assert from "node:assert/strict";
import { headersFor, parseFacilitatorHeaders } from "./facilitator_headers.ts";

const hosts = { allowedFacilitatorHosts: ["localhost:9402"], clusterDomain: "cluster.local" };
const secret = "Bearer-s3cr3t";

function parse(text: string) {
  return parseFacilitatorHeaders(text, "headers.yaml", hosts);
}

Deno.test("YAML and JSON; names in lower case", () => {
  const yaml = parse(
    `# ours\nhttps://Pay.Example.com/x402/:\n  Authorization: ${secret} x\n  X-Key: 'a b'\n`,
  );
  const json = parse(
    `{"https://pay.example.com:443/x402":{"Authorization":"${secret} x","X-Key":"a b"}}`,
  );
  const headers = [["authorization", `${secret} x`], ["x-key", "a b"]];
  for (const entries of [yaml, json]) {
    assert.deepEqual(headersFor(entries, "https://pay.example.com/x402/verify"), headers);
  }
  assert.deepEqual(parse("{}"), []);
});

const entries = parse(`
https://pay.example.com/tenant: { x-key: tenant }
https://pay.example.com: { x-key: whole }
https://other.example.com/x402: { x-key: other }
http://localhost:9402: { x-key: local }
`);

const targets: [url: string, key: string | undefined][] = [
  ["https://pay.example.com/verify", "whole"],
  ["https://PAY.example.com:443/verify", "whole"],
  ["https://pay.example.com/tenant/verify", "tenant"],
  ["https://pay.example.com/tenant", "tenant"],
  ["https://pay.example.com/tenants/verify", "whole"],
  ["https://pay.example.com/x/../tenant/verify", "tenant"],
  ["https://pay.example.com/x%2f..%2ftenant/verify", undefined],
  ["https://pay.example.com/tenant/..%2Fother/verify", undefined],
  ["https://pay.example.com/tenant/%2e%2e%5cother/verify", undefined],
  ["https://pay.example.com/tenant/..;/other/verify", undefined],
  ["https://pay.example.com/tenant/..%3B/other/verify", undefined],
  ["https://pay.example.com/tenant/..%252Fother/verify", undefined],
  ["http://pay.example.com/verify", undefined],
  ["https://pay.example.com:8443/verify", undefined],
  ["https://pay.example.com./verify", undefined],
  ["https://pay.example.com.evil.net/verify", undefined],
  ["https://pay.example.com@evil.net/verify", undefined],
  ["https://evil.net/https://pay.example.com/verify", undefined],
  ["https://evil.net/?https://pay.example.com/verify", undefined],
  ["https://api.pay.example.com/verify", undefined],
  ["https://other.example.com/x402/verify", "other"],
  ["https://other.example.com/X402/verify", undefined],
  ["https://other.example.com/x402/../verify", undefined],
  ["https://other.example.com/x402/%2E%2E/verify", undefined],
  ["https://other.example.com/x402\\..\\verify", undefined],
  ["https://other.example.com/x402evil/verify", undefined],
  ["https://other.example.com//x402/verify", undefined],
  ["http://localhost:9402/verify", "local"],
  ["http://localhost:9403/verify", undefined],
  ["http://127.0.0.1:9402/verify", undefined],
];

for (const [url, key] of targets) {
  Deno.test(`${url} gets ${key ?? "nothing"}`, () => {
    assert.deepEqual(headersFor(entries, url), key === undefined ? [] : [["x-key", key]]);
  });
}

const ok = "https://pay.example.com";
const wrong: [text: string, says: RegExp][] = [
  ["", /:1: write a mapping/],
  ["# nothing yet\n", /:1: write a mapping/],
  [`- ${ok}\n`, /:1: write a mapping/],
  [`${ok}:\n  - ${secret}\n`, /:2: write a mapping/],
  [`${ok}:\n`, /:1: write a mapping/],
  [`${ok}: ${secret}\n`, /:1: write a mapping/],
  [
    `${ok}: { x: &a ${secret} }\nhttps://b.example.com: { x: *a }\n`,
    /:2: the value of x has to be/,
  ],
  [`${ok}: { x: *${secret} }\n`, /:1: (not valid YAML|the value of x)/],
  [`${ok}: { x: ${secret}\n`, /: not valid YAML/],
  [`${ok}: { x: a }\n\n${ok}: { x: b }\n`, /:3: not valid YAML \(DUPLICATE_KEY\)/],
  [`${ok}: { x: a }\n${ok}:443/: { x: b }\n`, /:2: https:\/\/pay.example.com is named twice/],
  ["pay.example.com: { x: a }\n", /:1: not a URL; write for example https:/],
  ["ftp://pay.example.com: { x: a }\n", /:1: not a URL/],
  [`https://user:${secret}@pay.example.com: { x: a }\n`, /:1: a URL here is a scheme, a host/],
  [`${ok}/?k=${secret}: { x: a }\n`, /:1: a URL here is/],
  [
    "http://pay.example.com: { x: a }\n",
    /:1: secrets do not go to http:\/\/pay.example.com.*allow/,
  ],
  ["http://localhost:9403: { x: a }\n", /--allow-facilitator-host localhost:9403 allows it/],
  [`${ok}:\n  x: a\n  Content-Length: 3\n`, /:3: content-length is set by the gateway/],
  [`${ok}:\n  Host: a\n`, /:2: host is set by the gateway/],
  [`${ok}:\n  Transfer-Encoding: a\n`, /:2: transfer-encoding is set/],
  [`${ok}:\n  Connection: a\n`, /:2: connection is set/],
  [`${ok}:\n  ${secret} x: a\n`, /:2: a header name is a token/],
  [`${ok}:\n  x: a\n  X: b\n`, /:3: x is named twice/],
  [`${ok}:\n  x: 12\n`, /:2: the value of x has to be a text.*quote numbers/],
  [`${ok}:\n  x: |\n    ${secret}\n`, /:2: the value of x has to be/],
  [`${ok}:\n  x: "${secret}\\r\\ny: z"\n`, /:2: the value of x has to be/],
  [`${ok}:\n  x: "${secret}é"\n`, /:2: the value of x has to be/],
  [`${ok}:\n  x: ""\n`, /:2: the value of x has to be/],
  [`${ok}:\n  x: { y: ${secret} }\n`, /:2: the value of x has to be/],
  [`? [a]\n: { x: a }\n`, /:1: a key is no text/],
];

for (const [text, says] of wrong) {
  Deno.test(`refused: ${JSON.stringify(text)}`, () => {
    assert.throws(() => parse(text), (error: Error) => {
      assert.match(error.message, /^headers\.yaml:\d+: [^\n]+$/);
      assert.match(error.message, says);
      assert.doesNotMatch(error.message, /s3cr3t/);
      return error.name === "CredentialsError";
    });
  });
}
