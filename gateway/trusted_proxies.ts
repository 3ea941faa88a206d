import { BlockList, isIP } from "node:net";

/** The addresses of the proxies in front of the gateway, whose `X-Forwarded-*` are believed. */
export class TrustedProxies {
  readonly #list = new BlockList();
  readonly #empty: boolean;

  /**
   * @param ranges addresses or CIDR ranges, IPv4 or IPv6: `10.0.0.0/8`, `fd00::/8`, `192.0.2.7`
   * @throws {TypeError} for what is neither
   */
  constructor(ranges: readonly string[]) {
    this.#empty = ranges.length === 0;
    for (const range of ranges) this.#add(range);
  }

  /** @param address textual IP address of the peer; IPv4 may come as `::ffff:192.0.2.7` */
  trusts(address: string): boolean {
    if (this.#empty) return false;
    return this.#list.check(address, isIP(address) === 4 ? "ipv4" : "ipv6");
  }

  /**
   * Who sent a request, as far as that can be known: the last address before those of trusted proxies.
   *
   * @param peer address of the connection
   * @param forwardedFor the header `X-Forwarded-For`; what a stranger put into it is not reached
   */
  clientOf(peer: string, forwardedFor: string | null): string {
    let client = peer;
    const hops = forwardedFor?.split(",") ?? [];
    while (this.trusts(client)) {
      const before = hops.pop()?.trim();
      if (before === undefined || isIP(before) === 0) break;
      client = before;
    }
    return client;
  }

  #add(range: string): void {
    const [address = "", prefix, ...more] = range.split("/");
    const version = isIP(address);
    const width = version === 4 ? 32 : 128;
    const bits = prefix === undefined ? width : /^\d{1,3}$/.test(prefix) ? Number(prefix) : NaN;
    if (version === 0 || more.length > 0 || !(bits <= width)) {
      throw new TypeError(
        `${
          JSON.stringify(range)
        } is not a trusted proxy: it has to be an IP address or a CIDR range`,
      );
    }
    this.#list.addSubnet(address, bits, version === 4 ? "ipv4" : "ipv6");
  }
}
