import { keccak_256 } from "@noble/hashes/sha3.js";

/**
 * The few pieces of the Solidity ABI that calls, events and EIP-712 hashes of static types are made
 * of: 32-byte words as 64 lower-case hexadecimal digits without `0x`. By hand, because viem costs
 * 25 MB and more.
 */

const maxUint256 = 2n ** 256n - 1n;

/** @throws {RangeError} for what is no uint256 */
export function uintWord(value: bigint): string {
  if (value < 0n || value > maxUint256) throw new RangeError(`${value} is not a uint256`);
  return value.toString(16).padStart(64, "0");
}

/** @throws {RangeError} for what is no address: `0x` and 40 hexadecimal digits */
export function addressWord(address: string): string {
  if (!/^0x[0-9a-fA-F]{40}$/.test(address)) throw new RangeError(`${address} is not an address`);
  return address.slice(2).toLowerCase().padStart(64, "0");
}

/** @throws {RangeError} for what is no bytes32: `0x` and 64 hexadecimal digits */
export function bytes32Word(value: string): string {
  if (!/^0x[0-9a-fA-F]{64}$/.test(value)) throw new RangeError(`${value} is not 32 bytes`);
  return value.slice(2).toLowerCase();
}

/** Keccak-256 of bytes in hexadecimal, as a word. */
export function hashWord(hex: string): string {
  return keccak_256(Uint8Array.fromHex(hex)).toHex();
}

/** Keccak-256 of a text's UTF-8: how EIP-712 has strings and type names. */
export function textHashWord(text: string): string {
  return keccak_256(new TextEncoder().encode(text)).toHex();
}

/** The first topic of an event's logs; `signature` as in `Transfer(address,address,uint256)`. */
export function eventTopic(signature: string): string {
  return `0x${textHashWord(signature)}`;
}

/** The four bytes with `0x` by which a function is called; `signature` without names and spaces. */
export function functionSelector(signature: string): string {
  return `0x${textHashWord(signature).slice(0, 8)}`;
}
