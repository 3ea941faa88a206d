/** A decimal amount of a token as people write it: `1`, `0.001`. */
export const amountPattern = /^\d{1,60}(\.\d{1,60})?$/;

/** Atomic units as a decimal amount without trailing zeros: `1000n` of 6 decimals is `0.001`. */
export function formatTokenAmount(atomic: bigint, decimals: number): string {
  const digits = atomic.toString().padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals);
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, "");
  return fraction === "" ? whole : `${whole}.${fraction}`;
}

/**
 * An amount of {@link amountPattern} in atomic units, rounded down: as a limit it then never
 * permits more than was written.
 */
export function parseTokenAmount(amount: string, decimals: number): bigint {
  const [whole, fraction = ""] = amount.split(".");
  return BigInt(whole + fraction.slice(0, decimals).padEnd(decimals, "0"));
}
