/** A sum of decimal numbers without limit and without rounding. */
export class ExactSum {
  /** The sum is `#units` divided by ten to the power of `#decimals`. */
  #units = 0n;
  #decimals = 0;

  /**
   * @param text digits, with a fraction or without: `0.001`
   * @throws {Error} when it is anything else: a total that leaves something out is worse than none
   */
  add(text: string): void {
    const [matched, whole, fraction = ""] = /^([0-9]+)(?:\.([0-9]+))?$/.exec(text) ?? [];
    if (matched === undefined) throw new Error(`${JSON.stringify(text)} is not a decimal number`);
    if (fraction.length > this.#decimals) {
      this.#units *= 10n ** BigInt(fraction.length - this.#decimals);
      this.#decimals = fraction.length;
    }
    this.#units += BigInt(whole + fraction.padEnd(this.#decimals, "0"));
  }

  /** Without needless zeros, as prices are written: `0.01`. */
  toString(): string {
    const digits = this.#units.toString().padStart(this.#decimals + 1, "0");
    const point = digits.length - this.#decimals;
    const fraction = digits.slice(point).replace(/0+$/, "");
    return digits.slice(0, point) + (fraction === "" ? "" : `.${fraction}`);
  }
}
