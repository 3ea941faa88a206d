import assert from "node:assert/strict";
import { parseAddress } from "./evm_address.ts";

// The first two are examples of EIP-55.
const checksummed = [
  "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
  "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
  "0x1f6004907Adc7d313768b85917e069e011150390",
];
for (const address of checksummed) {
  Deno.test(`${address} is accepted as it is and in one case`, () => {
    const upper = `0x${address.slice(2).toUpperCase()}`;
    for (const text of [address, address.toLowerCase(), upper]) {
      assert.deepEqual(parseAddress(text), { address });
    }
  });
}

const refused: readonly [text: string, reason: RegExp][] = [
  ["0xYourWalletAddress", /^a placeholder; put in your own address/],
  ["0xYOUR_WALLET_ADDRESS_HERE", /^a placeholder/],
  ["0x...", /^a placeholder/],
  ["0x1f6004907Adc7d313768b85917e069e01115039x", /^an address with "x" in it/],
  [" 0x1f6004907Adc7d313768b85917e069e011150390", /^an address with white space around it/],
  ["0x", /^0 digits long/],
  ["0x1f6004907adc7d313768b85917e069e0111503901", /^41 digits long after 0x/],
  [
    "0x5aaeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    /write 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed$/,
  ],
  [`0x${"0".repeat(40)}`, /^the zero address/],
];
for (const [text, reason] of refused) {
  Deno.test(`${text} is refused as an address`, () => {
    const result = parseAddress(text);
    assert.match("refused" in result ? result.refused : "accepted", reason);
  });
}
