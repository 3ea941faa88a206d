import { defineChain } from "viem";

/** Base Sepolia, which the local chain poses as: same chain id, same token address. */
export const baseSepolia = defineChain({
  id: 84532,
  name: "Base Sepolia (local)",
  nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
  rpcUrls: { default: { http: [] } },
});
