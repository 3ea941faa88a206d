/** Uniswap's Permit2, the same on every chain (scheme_exact_evm.md, "Canonical Permit2"). Lower case. */
export const permit2Address = "0x000000000022d473030f116ddee9f6b43ac78ba3";

/** `x402ExactPermit2Proxy`, the spender of every Permit2 payment, on every chain. Lower case. */
export const permit2ProxyAddress = "0x402085c248eea27d92e8b30b2c58ed07f9e20001";
