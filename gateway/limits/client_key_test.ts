import assert from "node:assert/strict";
import { clientKey } from "./client_key.ts";

const same: readonly (readonly string[])[] = [
  ["192.0.2.7", "::ffff:192.0.2.7", "::FFFF:192.0.2.7"],
  [
    ...["2001:db8:1:2::1", "2001:db8:1:2:3:4:5:6", "2001:0DB8:0001:0002:ffff::", "2001:db8:1:2::"],
    ...["2001:db8:1:2:3:4:192.0.2.7", "2001:db8:1:2::192.0.2.7"],
  ],
  ["2001:db8::1", "2001:db8:0:0:5::", "2001:db8::5:6:7:8", "2001:db8::192.0.2.7"],
  // The zeros end inside the first half.
  ["2001::3:4:5:6:7:8", "2001:0:3:4::"],
  ["::2:3:4:5:6:7:8", "0:2:3:4::"],
  ["1::4:5:6:7:8", "1:0:0:4::"],
  ["::1", "::", "0:0:0:0:1::", "::192.0.2.7"],
  ["fe80::1%eth0", "fe80::2%7", "fe80::"],
];

for (const addresses of same) {
  Deno.test(`clientKey() is the same for ${addresses.join(", ")}`, () => {
    assert.equal(new Set(addresses.map(clientKey)).size, 1);
  });
}

Deno.test("clientKey() tells customers apart", () => {
  const addresses = [...same.map(([first]) => first!), "192.0.2.8", "2001:db8:1:3::1", "fe81::1"];
  assert.equal(new Set(addresses.map(clientKey)).size, addresses.length);
});

Deno.test("clientKey() lets other text stand for itself", () => {
  for (const text of ["", "unix", "a:b:x", "a:b", "12345::", "1:2:3:4:5:6:7:8:9"]) {
    assert.equal(clientKey(text), text);
  }
});
