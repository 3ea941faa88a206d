import { clientKey } from "../limits/client_key.ts";

export interface InvalidSignatureLimits {
  /** Invalid signatures that a client or payer may have to its name... */
  readonly invalid: number;
  /** ...in this time in ms. */
  readonly perMs: number;
  /** Clients, and as many payers, that are remembered; beyond that, those are forgotten that have
   * sent nothing invalid for longest. */
  readonly maxKeys: number;
}

const defaults: InvalidSignatureLimits = { invalid: 5, perMs: 60_000, maxKeys: 10_000 };

/**
 * Counts payments with an invalid signature by the client that sent them and by the payer that they
 * name. What is found suspicious here is only to be looked at more closely: a payer's address is
 * public, and whoever puts it under garbage must not lock the payer out.
 *
 * Each key has a bucket of tokens: an invalid signature takes one, time brings them back. So no
 * amount of them makes a key suspicious for longer than `perMs / invalid` after the last.
 */
export class InvalidSignatures {
  readonly #limits: InvalidSignatureLimits;
  // Two, so that invented payers, which cost nothing, do not push out clients.
  readonly #clients: Buckets;
  readonly #payers: Buckets;

  /** @param now in ms, of a clock that only goes forward */
  constructor(
    limits: Partial<InvalidSignatureLimits> = {},
    private readonly now: () => number = () => performance.now(),
  ) {
    this.#limits = { ...defaults, ...limits };
    this.#clients = new Buckets(this.#limits);
    this.#payers = new Buckets(this.#limits);
  }

  /** A payment had an invalid signature. `client`: its IP address; `payer`: an address of the chain. */
  add(client: string, payer: string): void {
    const now = this.now();
    this.#clients.take(clientKey(client), now);
    this.#payers.take(payer.toLowerCase(), now);
  }

  isSuspicious(client: string, payer: string): boolean {
    return this.retryAfterSeconds(client, payer) > 0;
  }

  /** Until neither is suspicious, rounded up, if nothing more is added; 0 if they are not now. */
  retryAfterSeconds(client: string, payer: string): number {
    const now = this.now();
    const waitMs = Math.max(
      this.#clients.msToToken(clientKey(client), now),
      this.#payers.msToToken(payer.toLowerCase(), now),
    );
    return Math.ceil(waitMs / 1000);
  }

  /** Clients and payers that are remembered. */
  get size(): number {
    return this.#clients.size + this.#payers.size;
  }
}

/** A bucket is the time at which it will be full again: that is all there is to know. */
class Buckets {
  /** Those that were taken from last come last, as a Map iterates in order of insertion. */
  readonly #fullAt = new Map<string, number>();
  readonly #msPerToken: number;

  constructor(private readonly limits: InvalidSignatureLimits) {
    this.#msPerToken = limits.perMs / limits.invalid;
  }

  get size(): number {
    return this.#fullAt.size;
  }

  take(key: string, now: number): void {
    const fullAt = Math.max(this.#fullAt.get(key) ?? now, now) + this.#msPerToken;
    this.#fullAt.delete(key);
    // An empty bucket stays empty: what a flood takes beyond that is not to be paid back.
    this.#fullAt.set(key, Math.min(fullAt, now + this.limits.perMs));
    for (const [oldest, oldestFullAt] of this.#fullAt) {
      if (oldestFullAt > now && this.#fullAt.size <= this.limits.maxKeys) break;
      this.#fullAt.delete(oldest);
    }
  }

  /** In ms, until there is one to take. */
  msToToken(key: string, now: number): number {
    const fullAt = this.#fullAt.get(key) ?? now;
    return Math.max(0, fullAt - now - (this.limits.perMs - this.#msPerToken));
  }
}
