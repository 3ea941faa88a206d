import type { FacilitatorMetrics } from "../../store/facilitator_metrics.ts";
import type { Logger } from "../../store/log.ts";
import type { PaymentTerms } from "../../store/route_snapshot.ts";
import type { Payment } from "../payment/payment_header.ts";
import { requirementsV1, requirementsV2 } from "../payment/requirements.ts";
import { counted, timed } from "./call_counting.ts";
import type { Health } from "./circuit_breaker.ts";
import type { FacilitatorAddresses } from "./facilitator_addresses.ts";
import {
  readSettlement,
  readSupported,
  readVerdict,
  type SettleOutcome,
  type SupportedKinds,
  type VerifyOutcome,
} from "./facilitator_answers.ts";
import type { FacilitatorCredentials } from "./facilitator_credentials.ts";
import { FacilitatorFailure } from "./facilitator_failure.ts";
import { FacilitatorGates } from "./facilitator_gates.ts";
import { FacilitatorHttp, type FacilitatorReply } from "./facilitator_http.ts";

export type { SettleOutcome, SupportedKinds, VerifyOutcome } from "./facilitator_answers.ts";

/** Times in milliseconds, each for the whole call, the wait for its turn included. */
export interface FacilitatorSettings {
  readonly verifyMs: number;
  /** Settlement waits for a block. */
  readonly settleMs: number;
  /** Calls to one facilitator URL at the same time; 64 if not given. */
  readonly maxInFlight?: number;
  /** Calls to one facilitator URL that wait for their turn; 1024 if not given. */
  readonly maxWaiting?: number;
  /** How long a call waits for its turn at most; 2 s if not given. */
  readonly queueMs?: number;
  /** From the head of an answer to its end; 5 s if not given. */
  readonly bodyMs?: number;
  /** What facilitators want to see before they answer; none if not given. */
  readonly credentials?: FacilitatorCredentials;
}

/** Ms for the question whether a facilitator is up. */
const healthMs = 3_000;

/**
 * Speaks to facilitators: `POST /verify`, `POST /settle` and `GET /supported`
 * (x402-specification-v2.md, section 7), in the protocol version of the buyer. What is known of a
 * facilitator's state is known per URL.
 */
export class FacilitatorClient {
  readonly #http: FacilitatorHttp;
  readonly #gates: FacilitatorGates;

  /** @param now monotonic, in ms */
  constructor(
    private readonly settings: FacilitatorSettings,
    addresses: FacilitatorAddresses,
    log: Logger,
    private readonly metrics: FacilitatorMetrics,
    now?: () => number,
  ) {
    const { maxInFlight = 64, maxWaiting = 1024, queueMs = 2_000, bodyMs = 5_000, credentials } =
      settings;
    this.#http = new FacilitatorHttp(addresses, credentials, bodyMs);
    const askHealth = this.#askHealth.bind(this);
    this.#gates = new FacilitatorGates({ maxInFlight, maxWaiting, queueMs }, askHealth, log, now);
    metrics.gates = () => this.#gates.states();
  }

  /**
   * @param ended ends the call, as if its time were up
   * @throws {FacilitatorFailure} when there is no answer that can be relied on
   */
  async verify(
    payment: Payment,
    terms: PaymentTerms,
    resourceUrl: string,
    ended?: AbortSignal,
  ): Promise<VerifyOutcome> {
    const { facilitatorUrl } = terms;
    const url = `${facilitatorUrl}/verify`;
    const body = requestBody(payment, terms, resourceUrl);
    const tally = this.metrics.of(facilitatorUrl);
    const make = async (timeout: AbortSignal) => {
      const signal = ended === undefined ? timeout : AbortSignal.any([timeout, ended]);
      const post = (once: boolean) => this.#http.send({ method: "POST", url, body, once }, signal);
      return readVerdict(await timed(tally, "verify", () => onceAgain(post)), payment);
    };
    const gate = this.#gates.of(facilitatorUrl);
    const call = { timeoutMs: this.settings.verifyMs, urgent: false, make };
    return await counted(tally, "verify", () => gate.pass(call));
  }

  /** Sent at most once. Never throws: every failure is an outcome about money. */
  async settle(
    payment: Payment,
    terms: PaymentTerms,
    resourceUrl: string,
  ): Promise<SettleOutcome> {
    const { facilitatorUrl } = terms;
    const url = `${facilitatorUrl}/settle`;
    const body = requestBody(payment, terms, resourceUrl);
    const tally = this.metrics.of(facilitatorUrl);
    const make = async (signal: AbortSignal) => {
      const post = () => this.#http.send({ method: "POST", url, body, once: true }, signal);
      return readSettlement(await timed(tally, "settle", post), payment, terms);
    };
    const gate = this.#gates.of(facilitatorUrl);
    const call = { timeoutMs: this.settings.settleMs, urgent: true, make };
    try {
      return await counted(tally, "settle", () => gate.pass(call));
    } catch (error) {
      if (!(error instanceof FacilitatorFailure)) throw error;
      return { kind: error.sent === "no" ? "not_sent" : "unknown", failure: error };
    }
  }

  /**
   * What the facilitator takes. Past the gate: whoever asks this asks seldom, and a facilitator that
   * cannot say it may still take payments.
   * @param signal ends the call, as if its time were up
   * @throws {FacilitatorFailure} when there is no answer that can be relied on
   */
  async supported(facilitatorUrl: string, signal?: AbortSignal): Promise<SupportedKinds> {
    const { verifyMs } = this.settings;
    return await counted(
      this.metrics.of(facilitatorUrl),
      "supported",
      async () => readSupported(await this.#getSupported(facilitatorUrl, verifyMs, signal)),
    );
  }

  close(): void {
    this.#http.close();
  }

  async #getSupported(
    facilitatorUrl: string,
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<FacilitatorReply> {
    const controller = new AbortController();
    const end = () => controller.abort();
    const timer = setTimeout(end, timeoutMs);
    signal?.addEventListener("abort", end, { once: true });
    if (signal?.aborted) end();
    try {
      const request = { method: "GET", url: `${facilitatorUrl}/supported`, once: false } as const;
      const get = () => this.#http.send(request, controller.signal);
      return await timed(this.metrics.of(facilitatorUrl), "supported", get);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
    }
  }

  /** Past the gate, which waits for it. Never rejects. */
  async #askHealth(facilitatorUrl: string): Promise<Health> {
    try {
      const { status } = await counted(
        this.metrics.of(facilitatorUrl),
        "supported",
        () => this.#getSupported(facilitatorUrl, healthMs),
      );
      if (status >= 200 && status < 300) return "up";
      return status === 429 || status >= 500 ? "down" : "unsaid";
    } catch {
      return "down";
    }
  }
}

/**
 * Repeats what changes nothing when the connection broke or there was none. Not after a timeout: the
 * time is up, and a facilitator that is slow has enough to do.
 */
async function onceAgain<T>(send: (once: boolean) => Promise<T>): Promise<T> {
  try {
    return await send(false);
  } catch (error) {
    const again = error instanceof FacilitatorFailure && error.code === "facilitator_unreachable";
    if (!again) throw error;
    // On a new connection: the others that are kept may be as dead as this one was.
    return await send(true);
  }
}

function requestBody(payment: Payment, terms: PaymentTerms, resourceUrl: string): string {
  const version = payment.message.x402Version;
  return JSON.stringify({
    x402Version: version,
    paymentPayload: payment.raw,
    // Ours, never the buyer's copy of them.
    paymentRequirements: version === 2
      ? requirementsV2(terms)
      : { ...requirementsV1(terms), resource: resourceUrl },
  });
}
