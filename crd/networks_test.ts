import assert from "node:assert/strict";
import { findKnownAsset, findNetwork, knownNetworkNames } from "./networks.ts";
import { networks } from "./networks.generated.ts";

const usdcOnBase = "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913";

Deno.test("findNetwork knows a network by its version 1 name and by its CAIP-2 id", () => {
  const base = findNetwork("base");
  assert.deepEqual(base, {
    caip2: "eip155:8453",
    nameV1: "base",
    assets: [
      { address: usdcOnBase, name: "USD Coin", version: "2", decimals: 6, symbol: "USDC" },
    ],
  });
  assert.equal(findNetwork("eip155:8453"), base);
});

Deno.test("findNetwork gives the default token first", () => {
  assert.deepEqual(findNetwork("celo")?.assets.map(({ symbol }) => symbol), [
    "USDC",
    "USDT",
    "USAT",
  ]);
});

Deno.test("findNetwork says which tokens need Permit2", () => {
  const [token] = findNetwork("megaeth")!.assets;
  assert.equal(token?.assetTransferMethod, "permit2");
  assert.equal(token?.supportsEip2612, true);
});

Deno.test("findNetwork takes any EVM chain id, without known tokens", () => {
  assert.deepEqual(findNetwork("eip155:31337"), { caip2: "eip155:31337", assets: [] });
});

for (
  const name of [
    "",
    "Base",
    "solana",
    "eip155:",
    "eip155:0",
    "eip155:08453",
    "eip155:8453 ",
    "eip155:0x2105",
    `eip155:${"1".repeat(33)}`,
    "constructor",
  ]
) {
  Deno.test(`findNetwork does not know "${name}"`, () => {
    assert.equal(findNetwork(name), undefined);
  });
}

Deno.test("findKnownAsset ignores the case of the address, not the network", () => {
  assert.equal(findKnownAsset("eip155:8453", usdcOnBase.toLowerCase())?.address, usdcOnBase);
  assert.equal(findKnownAsset("eip155:84532", usdcOnBase), undefined);
  assert.equal(findKnownAsset("eip155:31337", usdcOnBase), undefined);
});

Deno.test("knownNetworkNames has only networks that are payable as they are, each findable", () => {
  const names = knownNetworkNames();
  assert(names.includes("base") && names.includes("base-sepolia") && names.includes("eip155:50"));
  assert(!names.includes("sepolia"));
  for (const name of names) assert(findNetwork(name)!.assets.length > 0, name);
});

Deno.test("no two known networks share a name or an id", () => {
  const names = networks.flatMap(({ caip2, nameV1 }) => nameV1 ? [caip2, nameV1] : [caip2]);
  assert.equal(new Set(names).size, names.length);
});
