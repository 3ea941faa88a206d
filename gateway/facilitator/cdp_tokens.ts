import { type CdpKey, tokenSeconds } from "./cdp_key.ts";

/** Seconds that a token that is sent has left at least: for clocks that differ, and the way there. */
const spareSeconds = 30;

/** Signed tokens, kept until shortly before they expire. One instance per key. */
export class CdpTokens {
  readonly #tokens = new Map<string, { readonly token: string; readonly until: number }>();

  /** @param now in Unix seconds */
  constructor(private readonly key: CdpKey, private readonly now: () => number = unixSeconds) {}

  /** Only for URLs of a known number: each is remembered. */
  tokenFor(method: string, url: string): string {
    const now = this.now();
    const use = `${method} ${url}`;
    const known = this.#tokens.get(use);
    // A clock that was set back must not keep a token that is not valid yet.
    if (known !== undefined && now < known.until && known.until - now <= tokenSeconds) {
      return known.token;
    }
    const token = this.key.sign(method, url, now);
    this.#tokens.set(use, { token, until: now + tokenSeconds - spareSeconds });
    return token;
  }
}

function unixSeconds(): number {
  return Math.floor(Date.now() / 1_000);
}
