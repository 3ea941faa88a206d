import { RecentMap } from "./recent_map.ts";

/** How long a payment speaks for its payer, in ms. */
const keptMs = 3_600_000;

/** Those who have paid here lately, and have had no payment refused since. */
export class KnownPayers {
  readonly #until = new RecentMap<number>(20_000);

  /** @param now in ms, of a clock that only goes forward */
  constructor(private readonly now: () => number) {}

  add(payer: string): void {
    this.#until.set(payer, this.now() + keptMs);
  }

  remove(payer: string): void {
    this.#until.delete(payer);
  }

  has(payer: string): boolean {
    return this.now() < (this.#until.get(payer) ?? 0);
  }
}
