import assert from "node:assert/strict";
import { TrustedProxies } from "./trusted_proxies.ts";

Deno.test("addresses inside the ranges are trusted, and no others", () => {
  const proxies = new TrustedProxies(["10.0.0.0/8", "192.0.2.7", "fd00::/8", "::1/128"]);
  const cases: [address: string, trusted: boolean][] = [
    ["10.255.0.1", true],
    ["11.0.0.1", false],
    ["192.0.2.7", true],
    ["192.0.2.8", false],
    ["::ffff:10.1.2.3", true],
    ["::FFFF:11.1.2.3", false],
    ["fd12::1", true],
    ["fe80::1", false],
    ["::1", true],
    ["not an address", false],
    ["", false],
  ];
  for (const [address, trusted] of cases) assert.equal(proxies.trusts(address), trusted, address);
});

Deno.test("nobody is trusted without ranges", () => {
  assert.equal(new TrustedProxies([]).trusts("127.0.0.1"), false);
});

Deno.test("what is not a range is refused with its text", () => {
  for (
    const range of [
      "10.0.0.0/33",
      "::/129",
      "10.0.0/8",
      "example.com",
      "",
      "1.2.3.4/8/8",
      "1.2.3.4/",
    ]
  ) {
    assert.throws(
      () => new TrustedProxies([range]),
      (error: Error) => error.message.includes(`"${range}"`),
    );
  }
});

Deno.test("the client is the last address that no trusted proxy has", () => {
  const proxies = new TrustedProxies(["10.0.0.0/8", "fd00::/8"]);
  const cases: [peer: string, forwardedFor: string | null, client: string][] = [
    ["192.0.2.1", null, "192.0.2.1"],
    ["192.0.2.1", "198.51.100.7", "192.0.2.1"], // a stranger's word
    ["10.0.0.1", null, "10.0.0.1"],
    ["10.0.0.1", "198.51.100.7", "198.51.100.7"],
    ["10.0.0.1", "203.0.113.9, 198.51.100.7", "198.51.100.7"], // forged in front
    ["10.0.0.1", "198.51.100.7, 10.0.0.2", "198.51.100.7"],
    ["fd00::1", "2001:db8::5", "2001:db8::5"],
    ["10.0.0.1", "unknown", "10.0.0.1"],
  ];
  for (const [peer, forwardedFor, client] of cases) {
    assert.equal(proxies.clientOf(peer, forwardedFor), client, `${peer} ${forwardedFor}`);
  }
});
