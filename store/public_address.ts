import { BlockList, isIP } from "node:net";

/** Addresses that lead into the cluster, the node or the cloud's metadata (IANA special-purpose). */
const notPublic = new BlockList();
for (
  const [network, prefix] of [
    ["0.0.0.0", 8],
    ["10.0.0.0", 8],
    ["100.64.0.0", 10],
    ["127.0.0.0", 8],
    ["169.254.0.0", 16],
    ["172.16.0.0", 12],
    ["192.0.0.0", 24],
    ["192.168.0.0", 16],
    ["198.18.0.0", 15],
    ["224.0.0.0", 3],
  ] as const
) {
  notPublic.addSubnet(network, prefix, "ipv4");
  // Where only IPv6 is spoken, DNS64 gives every IPv4 host an address in this prefix (RFC 6147).
  notPublic.addSubnet(`64:ff9b::${network}`, 96 + prefix, "ipv6");
}
for (
  const [network, prefix] of [
    // The first three can carry any IPv4 address: unspecified, loopback, compatible and mapped;
    // NAT64 with a prefix of its own; 6to4. A public host is reached without them.
    ["::", 10],
    ["64:ff9b:1::", 48],
    ["2002::", 16],
    ["fc00::", 7],
    ["fe80::", 9],
    ["ff00::", 8],
  ] as const
) notPublic.addSubnet(network, prefix, "ipv6");

/** Whether an IP address, without brackets, is one on the public internet; other text is not. */
export function isPublicAddress(text: string): boolean {
  // With its zone a link-local address would be in no network.
  const address = text.replace(/%.*/, "");
  const version = isIP(address);
  return version !== 0 && !notPublic.check(address, version === 6 ? "ipv6" : "ipv4");
}
