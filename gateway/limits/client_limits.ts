import type { Logger } from "../../store/log.ts";
import type { PaymentTerms } from "../../store/route_snapshot.ts";
import { Failure } from "../failures.ts";
import type { ClientRequest } from "../front/client_request.ts";
import { recoversToPayer } from "../payment/local_signature.ts";
import type { Payment } from "../payment/payment_header.ts";
import type { CompiledRule } from "../routing/compiled_rule.ts";
import type { TrustedProxies } from "../trusted_proxies.ts";
import { clientKey } from "./client_key.ts";
import { KnownPayers } from "./known_payers.ts";
import { type Rate, TokenBuckets } from "./token_buckets.ts";

/** Where refusals are counted. */
type Counting = Pick<CompiledRule, "count">;

/** Of one client each; undefined: no limit. */
export interface RateLimits {
  /** Requests that are answered 402: those without a payment, and those whose payment is refused. */
  readonly unpaid: Rate | undefined;
  /** Payments that are malformed, or refused. */
  readonly invalid: Rate | undefined;
}

/**
 * What one client may ask for without paying. A client is an address, behind which there can be many
 * buyers, so none of this stops a payment that is good as far as can be known:
 *
 * - Requests without a payment are counted apart: however many there are, payments are taken.
 * - Of a client with too many refused payments only those are taken that somebody has signed who has
 *   paid here lately. All others would be asked about at the facilitator, whose time is everybody's,
 *   and signatures of wallets without money cost nothing.
 */
export class ClientLimits {
  readonly #unpaid: TokenBuckets | undefined;
  readonly #invalid: TokenBuckets | undefined;
  readonly #payers: KnownPayers;
  #saidUntrusted = false;

  /** @param now in ms, of a clock that only goes forward */
  constructor(
    { unpaid, invalid }: RateLimits,
    private readonly trustedProxies: TrustedProxies,
    private readonly log: Logger,
    now: () => number = () => performance.now(),
  ) {
    this.#unpaid = unpaid && new TokenBuckets(unpaid, now);
    this.#invalid = invalid && new TokenBuckets(invalid, now);
    this.#payers = new KnownPayers(now);
  }

  /** What the limits know the sender of a request by. */
  clientOf({ peer, headers }: ClientRequest): string {
    const { trustedProxies } = this;
    return clientKey(
      trustedProxies.trusts(peer)
        ? trustedProxies.clientOf(peer, headers.get("x-forwarded-for"))
        : peer,
    );
  }

  /**
   * Counts a request without a payment.
   * @returns 0, or the seconds to wait if there have been too many
   */
  takeUnpaid(request: ClientRequest, rule: Counting): number {
    const waitMs = this.#unpaid?.take(this.clientOf(request)) ?? 0;
    if (waitMs === 0) return 0;
    rule.count("rate_limited");
    this.#warnOfProxy(request);
    return Math.ceil(waitMs / 1000);
  }

  /**
   * Counts a payment that is none.
   * @throws {Failure} `too_many_refused_payments`
   */
  takeMalformed(request: ClientRequest, rule: Counting): void {
    const client = this.clientOf(request);
    this.#unpaid?.spend(client);
    const waitMs = this.#invalid?.take(client) ?? 0;
    if (waitMs > 0) throw tooMany(waitMs, rule);
  }

  /** Counts a payment that was refused. */
  spendRefused(client: string): void {
    this.#unpaid?.spend(client);
    this.#invalid?.spend(client);
  }

  /** Whether the client has had so many payments refused that the next one is to be proven. */
  isSuspicious(client: string): boolean {
    return this.#invalid !== undefined && this.#invalid.waitMs(client) > 0;
  }

  /**
   * Lets a payment of a suspicious client pass if it is one of a payer that is known.
   * @throws {Failure} `too_many_refused_payments`
   */
  async prove(
    client: string,
    payment: Payment,
    terms: PaymentTerms,
    rule: Counting,
  ): Promise<void> {
    const { payer } = payment.authorization;
    // A payer's address is public: whoever puts it under garbage is not let through.
    if (this.#payers.has(payer) && await recoversToPayer(payment, terms) === true) return;
    throw tooMany(this.#invalid?.waitMs(client) ?? 0, rule);
  }

  /** What `payer` wanted was paid for. */
  notePaid(payer: string): void {
    if (this.#invalid !== undefined) this.#payers.add(payer);
  }

  /** A payment of `payer` that was proven was refused all the same. */
  noteRefused(payer: string): void {
    this.#payers.remove(payer);
  }

  /** Said once: all clients of a proxy that is not trusted are one client. */
  #warnOfProxy({ peer, headers }: ClientRequest): void {
    const isDirect = !headers.has("x-forwarded-for") || this.trustedProxies.trusts(peer);
    if (this.#saidUntrusted || isDirect) return;
    this.#saidUntrusted = true;
    this.log.warn("too many unpaid requests of what may be a proxy; see --trusted-proxies", {
      proxy: peer,
    });
  }
}

function tooMany(waitMs: number, rule: Counting): Failure {
  rule.count("rate_limited");
  const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1000));
  const detail = `for ${Math.ceil(waitMs)} ms`;
  return new Failure("too_many_refused_payments", detail, { retryAfterSeconds });
}
