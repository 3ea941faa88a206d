import assert from "node:assert/strict";
import { withProxyEnvironment } from "../../tests/support/proxy_environment.ts";
import { usesEnvironmentProxy } from "./environment_proxy.ts";

const proxy = "http://127.0.0.1:3128";
const url = "https://pay.example.com/x402";

const table: readonly [uses: boolean, env: Record<string, string>, url?: string][] = [
  [false, {}],
  [true, { HTTPS_PROXY: proxy }],
  [true, { https_proxy: proxy }],
  [true, { ALL_PROXY: proxy }],
  [true, { all_proxy: proxy }],
  [false, { HTTPS_PROXY: "" }],
  [false, { HTTP_PROXY: proxy }],
  [true, { HTTP_PROXY: proxy }, "http://pay.example.com"],
  [false, { HTTPS_PROXY: proxy, NO_PROXY: "*" }],
  [false, { HTTPS_PROXY: proxy, NO_PROXY: "localhost, pay.example.com" }],
  [false, { HTTPS_PROXY: proxy, no_proxy: "example.com" }],
  [false, { HTTPS_PROXY: proxy, NO_PROXY: ".example.com" }],
  [true, { HTTPS_PROXY: proxy, NO_PROXY: "ample.com" }],
  [true, { HTTPS_PROXY: proxy, NO_PROXY: "" }],
  [true, { HTTPS_PROXY: proxy, NO_PROXY: "" }, "https://pay.example.com."],
  [true, { HTTPS_PROXY: proxy, NO_PROXY: "PAY.EXAMPLE.COM" }],
  [true, { HTTPS_PROXY: proxy, NO_PROXY: "localhost,10.0.0.0/8" }],
];

for (const [uses, env, requested = url] of table) {
  Deno.test(`${uses ? "proxied" : "direct"}: ${requested} with ${JSON.stringify(env)}`, () => {
    assert.equal(usesEnvironmentProxy(new URL(requested), (name) => env[name]), uses);
  });
}

Deno.test("fetch takes the proxy exactly where it is said to", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const address = `127.0.0.1:${listener.addr.port}`;
  const connects: number[] = [];
  const accepting = (async () => {
    for await (const connection of listener) {
      // A proxy is sent a line of HTTP, a server a TLS handshake (type 22).
      const byte = new Uint8Array(1);
      if (await connection.read(byte) !== null) connects.push(byte[0]!);
      connection.close();
    }
  })();
  const target = `https://localhost:${listener.addr.port}/`;
  for (
    const env of [
      { HTTPS_PROXY: `http://${address}` },
      { ALL_PROXY: `http://${address}` },
      { https_proxy: `http://${address}`, NO_PROXY: "other.test" },
      { HTTPS_PROXY: `http://${address}`, NO_PROXY: "localhost" },
      { HTTPS_PROXY: `http://${address}`, no_proxy: "*" },
      { HTTP_PROXY: `http://${address}` },
    ] as Record<string, string>[]
  ) {
    await withProxyEnvironment(env, async () => {
      connects.length = 0;
      using client = Deno.createHttpClient({ http2: false });
      await assert.rejects(fetch(target, { client }));
      const uses = usesEnvironmentProxy(new URL(target));
      assert.equal(String.fromCharCode(connects[0]!), uses ? "C" : "\x16", JSON.stringify(env));
    });
  }
  listener.close();
  await accepting;
});
