/** EIP-3009 and ERC-20 amounts are uint256. */
const largestAmount = 2n ** 256n - 1n;

/** A price in both forms: atomic units of the token, and whole tokens without needless zeros. */
export interface Price {
  readonly amount: string;
  readonly price: string;
}

/**
 * Converts a price in whole tokens (`0.001`, `$0.001`) exactly. The reason of a refusal goes on
 * after "the price is ...": what does not divide into atomic units is refused, never rounded.
 */
export function parsePrice(text: string, decimals: number): Price | { refused: string } {
  const smallest = formatAmount(1n, decimals);
  const match = /^\$?([0-9]+)(?:\.([0-9]+))?$/.exec(text);
  if (match === null) {
    return { refused: `a price is a positive decimal number; the smallest one is ${smallest}` };
  }
  const fraction = (match[2] ?? "").replace(/0+$/, "");
  if (fraction.length > decimals) {
    return {
      refused: `the token has ${decimals} decimals, so the smallest possible price is ${smallest}`,
    };
  }
  const amount = BigInt(match[1]! + fraction.padEnd(decimals, "0"));
  if (amount === 0n) return { refused: `the smallest possible price is ${smallest}` };
  if (amount > largestAmount) {
    return { refused: `the largest possible price is ${formatAmount(largestAmount, decimals)}` };
  }
  return { amount: amount.toString(), price: formatAmount(amount, decimals) };
}

/** Atomic units as whole tokens: 1000n with 6 decimals is `0.001`. */
function formatAmount(amount: bigint, decimals: number): string {
  const digits = amount.toString().padStart(decimals + 1, "0");
  const point = digits.length - decimals;
  const fraction = digits.slice(point).replace(/0+$/, "");
  return digits.slice(0, point) + (fraction === "" ? "" : `.${fraction}`);
}
