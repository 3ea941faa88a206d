import type { LocalAccount } from "viem/accounts";
import { PayError } from "./pay_error.ts";

/** The well-known test mnemonic of anvil and Hardhat. Everybody has these keys. */
const devMnemonic = "test test test test test test test test test test test junk";

/** Dev accounts to choose from: those that anvil funds. */
export const devAccountCount = 10;

/** Dev account `index` of the test mnemonic (path `m/44'/60'/0'/0/index`). */
export async function devAccount(index: number): Promise<LocalAccount> {
  const { mnemonicToAccount } = await import("viem/accounts");
  return mnemonicToAccount(devMnemonic, { addressIndex: index });
}

/**
 * The account whose private key is in `file`: 64 hexadecimal digits, with or without `0x`.
 * @throws {PayError} (wrong usage) when there is no such file or it holds something else
 */
export async function readPrivateKeyFile(file: string): Promise<LocalAccount> {
  const { privateKeyToAccount } = await import("viem/accounts");
  let text;
  try {
    text = await Deno.readTextFile(file);
  } catch (error) {
    const why = error instanceof Deno.errors.NotFound ? "no such file" : (error as Error).message;
    throw new PayError(`The private key file ${file} cannot be read: ${why}.`, 2);
  }
  const key = /^\s*(?:0x)?([0-9a-fA-F]{64})\s*$/.exec(text)?.[1];
  try {
    if (key !== undefined) return privateKeyToAccount(`0x${key}`);
  } catch {
    // 0 and numbers above the order of the curve are no keys; the library's message repeats them.
  }
  throw new PayError(
    `${file} holds no private key; it must be 64 hexadecimal digits, with or without 0x.`,
    2,
  );
}
