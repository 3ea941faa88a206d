import assert from "node:assert/strict";
import { isPublicAddress } from "./public_address.ts";

const table: readonly [what: string, isPublic: boolean, ...addresses: string[]][] = [
  ["public", true, "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111"],
  ["this host and loopback", false, "0.0.0.0", "127.0.0.1", "127.255.255.254", "::", "::1"],
  ["private", false, "10.0.0.1", "172.16.0.1", "192.168.255.255", "fc00::1", "fdff::1"],
  ["shared with a carrier (CGNAT)", false, "100.64.0.0", "100.127.255.255"],
  ["link-local and metadata", false, "169.254.169.254", "fe80::1", "fe80::1%eth0", "fec0::1"],
  ["multicast and reserved", false, "224.0.0.1", "255.255.255.255", "192.0.0.1", "ff02::1"],
  ["benchmarks", false, "198.18.0.1", "198.19.255.255"],
  ["IPv4 in IPv6", false, "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::7f00:1", "2002:a00:1::"],
  ["a private address behind DNS64", false, "64:ff9b::10.0.0.1", "64:ff9b::a9fe:a9fe"],
  ["a public address behind DNS64", true, "64:ff9b::8.8.8.8", "64:ff9b::808:808"],
  ["DNS64 with a prefix of its own", false, "64:ff9b:1::808:808"],
  ["not an address", false, "", "x402.org", "[::1]", "1.2.3"],
];

for (const [what, expected, ...addresses] of table) {
  Deno.test(`${what}: ${addresses.join(" ")}`, () => {
    for (const address of addresses) assert.equal(isPublicAddress(address), expected, address);
  });
}
