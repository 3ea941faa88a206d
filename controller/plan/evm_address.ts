import { keccak_256 } from "@noble/hashes/sha3.js";

/**
 * Checks an EVM address and returns it with its EIP-55 checksum. The reason of a refusal goes on
 * after "the address is ...".
 */
export function parseAddress(text: string): { address: string } | { refused: string } {
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) {
    return { refused: formProblem(text) };
  }
  if (/^0x0+$/.test(text)) return { refused: "the zero address, from which nobody can spend" };
  const address = checksummed(text);
  const digits = text.slice(2);
  const mixedCase = digits !== digits.toLowerCase() && digits !== digits.toUpperCase();
  if (mixedCase && text !== address) {
    return {
      refused: "not what its checksum (EIP-55) says, so a character may be mistyped; " +
        `if all characters are right, write ${address}`,
    };
  }
  return { address };
}

function formProblem(text: string): string {
  if (text !== text.trim()) return "an address with white space around it; remove that";
  const foreign = text.replace(/^0x/, "").match(/[^0-9a-fA-F]/g) ?? [];
  if (foreign.length === 0) {
    return `${text.length - 2} digits long after 0x; an address has 40 hexadecimal digits`;
  }
  // The placeholders of the documentation and their like: not mistyped, but not filled in.
  return foreign.length > 2
    ? "a placeholder; put in your own address: 0x and 40 hexadecimal digits"
    : `an address with ${
      JSON.stringify(foreign[0])
    } in it; after 0x there are 40 hexadecimal digits`;
}

/** EIP-55: a digit is upper case where the digit of the Keccak-256 of the lower-case text is >= 8. */
function checksummed(address: string): string {
  const digits = address.slice(2).toLowerCase();
  const hash = keccak_256(new TextEncoder().encode(digits)).toHex();
  return "0x" +
    digits.replace(/[a-f]/g, (digit, at) => hash[at]! >= "8" ? digit.toUpperCase() : digit);
}
