import { networks } from "./networks.generated.ts";

/** An EVM network that can be paid on. */
export interface Network {
  /** CAIP-2 id: `eip155:8453`. */
  readonly caip2: string;
  /** Name in protocol version 1 (`base`); absent where that version has none. */
  readonly nameV1?: string;
  /** Well-known tokens, the default one first. Empty: `payment.asset` has to give the token. */
  readonly assets: readonly KnownAsset[];
}

/** A token whose EIP-712 domain and decimals the x402 library knows. */
export interface KnownAsset {
  /** Token contract, EIP-55 checksummed. */
  readonly address: string;
  /** Name and version of the token's EIP-712 domain. */
  readonly name: string;
  readonly version: string;
  readonly decimals: number;
  /** Ticker for people: `USDC`. */
  readonly symbol: string;
  /** Present where the token has no EIP-3009 and is paid through the Permit2 contract. */
  readonly assetTransferMethod?: "permit2";
  /** Whether a buyer can approve Permit2 by signature (EIP-2612) instead of a transaction. */
  readonly supportsEip2612?: boolean;
}

const byName = new Map<string, Network>();
for (const network of networks) {
  byName.set(network.caip2, network);
  if (network.nameV1 !== undefined) byName.set(network.nameV1, network);
}

/**
 * The network with this version 1 name or CAIP-2 id. Every `eip155:N` is one, without known assets
 * where the table has none; any other unknown name is undefined.
 */
export function findNetwork(nameOrCaip2: string): Network | undefined {
  const known = byName.get(nameOrCaip2);
  if (known !== undefined) return known;
  // CAIP-2 limits the reference to 32 characters; a leading zero would be a second spelling.
  return /^eip155:[1-9][0-9]{0,31}$/.test(nameOrCaip2)
    ? { caip2: nameOrCaip2, assets: [] }
    : undefined;
}

/** Names to suggest: networks with a known asset, by version 1 name or else CAIP-2 id, sorted. */
export function knownNetworkNames(): string[] {
  return networks
    .filter(({ assets }) => assets.length > 0)
    .map(({ caip2, nameV1 }) => nameV1 ?? caip2)
    .sort();
}

/** The known token with this address (in any case) on the network with this CAIP-2 id. */
export function findKnownAsset(caip2: string, address: string): KnownAsset | undefined {
  return byName.get(caip2)?.assets
    .find((asset) => asset.address.toLowerCase() === address.toLowerCase());
}
