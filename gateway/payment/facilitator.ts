import type { z } from "zod";
import type { PaymentTerms } from "../../store/route_snapshot.ts";
import { Failure } from "../failures.ts";
import type { FacilitatorAddresses } from "./facilitator_addresses.ts";
import { readCapped } from "./read_capped.ts";
import type { Payment } from "./payment_header.ts";
import { requirementsV1, requirementsV2 } from "./requirements.ts";
import { firstIssue, settleResponse, verifyResponse } from "./wire.ts";

/** What a facilitator says of a payment. An outage is neither: it is thrown. */
export type VerifyOutcome =
  | { readonly kind: "valid" }
  | { readonly kind: "invalid"; readonly reason: string };

/** What became of the money. */
export type SettleOutcome =
  | { readonly kind: "settled"; readonly transaction: string }
  /** The facilitator says that no money moved. */
  | { readonly kind: "refused"; readonly reason: string }
  /** The call was never made, so no money moved. */
  | { readonly kind: "not_sent"; readonly failure: Failure }
  /** The call was sent and nothing reliable came back: money may have moved. */
  | { readonly kind: "unknown"; readonly failure: Failure };

/** In milliseconds, each for the whole call. Settlement waits for a block. */
export interface FacilitatorTimeouts {
  readonly verifyMs: number;
  readonly settleMs: number;
}

/** Bytes of a facilitator's answer that are read at most; real ones have a few hundred. */
const maxAnswerBytes = 64 * 1024;

/** A transaction hash: it goes into headers, so nothing else may come of a facilitator. */
const transactionHash = /^0x[0-9a-fA-F]{64}$/;
/** Refusals that leave open whether the transaction is going to be mined. */
const openReason = /pending|timed?_?out|unexpected/i;
/** Refusals that come with a transaction which moved nothing, because it was reverted. */
const revertedReason = /transaction_failed$|^invalid_transaction_state$/;
/** Characters of a facilitator's reason that are passed on. */
const maxReasonLength = 200;

/**
 * Speaks to facilitators: `POST /verify` and `POST /settle` (x402-specification-v2.md, section 7),
 * in the protocol version of the buyer.
 */
export class FacilitatorClient {
  /** Verification changes nothing, so a resend on a dead pooled connection is harmless. */
  readonly #pooled = Deno.createHttpClient({ http2: false });
  /**
   * fetch resends a POST when a pooled connection turns out to be dead, also after the request was
   * read. A settlement sent twice can move the money with the first copy and report the second's
   * "nonce already used", so settlements get a fresh connection each.
   */
  readonly #unpooled = Deno.createHttpClient({ http2: false, poolMaxIdlePerHost: 0 });

  constructor(
    private readonly timeouts: FacilitatorTimeouts,
    private readonly addresses: FacilitatorAddresses,
  ) {}

  /** @throws {Failure} `facilitator_*` when there is no answer that can be relied on */
  async verify(
    payment: Payment,
    terms: PaymentTerms,
    resourceUrl: string,
  ): Promise<VerifyOutcome> {
    const url = `${terms.facilitatorUrl}/verify`;
    const body = requestBody(payment, terms, resourceUrl);
    const reply = await this.#post(url, body, this.#pooled, this.timeouts.verifyMs);
    const answer = understand(reply, verifyResponse);
    if (!answer.isValid) return readRefusal(answer.invalidReason);
    if (reply.status >= 400) {
      throw new Failure("facilitator_invalid", `"valid" with status ${reply.status}`);
    }
    if (isOther(answer.payer, payment)) {
      throw new Failure("facilitator_invalid", `"valid" for payer ${answer.payer}`);
    }
    return { kind: "valid" };
  }

  /** Never throws: every failure is an outcome about money. */
  async settle(
    payment: Payment,
    terms: PaymentTerms,
    resourceUrl: string,
  ): Promise<SettleOutcome> {
    const body = requestBody(payment, terms, resourceUrl);
    const url = `${terms.facilitatorUrl}/settle`;
    try {
      const reply = await this.#post(url, body, this.#unpooled, this.timeouts.settleMs);
      return readSettlement(reply, payment, terms);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return {
        kind: error.code === "facilitator_refused" ? "not_sent" : "unknown",
        failure: error,
      };
    }
  }

  close(): void {
    this.#pooled.close();
    this.#unpooled.close();
  }

  async #post(
    url: string,
    body: string,
    client: Deno.HttpClient,
    timeoutMs: number,
  ): Promise<Reply> {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), timeoutMs);
    try {
      // A name server that is too slow for the call leaves it to `fetch` to say so.
      await Promise.race([this.addresses.check(url), aborted(controller.signal)]);
      const response = await fetch(url, {
        method: "POST",
        headers: [["content-type", "application/json"], ["accept", "application/json"]],
        body,
        client,
        redirect: "manual",
        signal: controller.signal,
      });
      return { status: response.status, text: await readCapped(response, maxAnswerBytes) };
    } catch (error) {
      if (error instanceof Failure) throw error;
      const detail = `${url}: ${describe(error)}`;
      const code = controller.signal.aborted ? "facilitator_timeout" : "facilitator_unreachable";
      throw new Failure(code, detail, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }
}

function aborted(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}

interface Reply {
  readonly status: number;
  readonly text: string;
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

/** The answer as the schema has it. Some facilitators refuse with 4xx and a proper body: that counts. */
function understand<S extends z.ZodType>(reply: Reply, schema: S): z.infer<S> {
  if (reply.status === 429) throw new Failure("facilitator_busy", "status 429");
  if (reply.status >= 500 || (reply.status >= 300 && reply.status < 400)) {
    throw new Failure("facilitator_invalid", `status ${reply.status}`);
  }
  let json: unknown;
  try {
    json = JSON.parse(reply.text);
  } catch {
    throw new Failure("facilitator_invalid", `status ${reply.status}, not JSON`);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new Failure("facilitator_invalid", `status ${reply.status}, ${firstIssue(parsed.error)}`);
}

function readSettlement(reply: Reply, payment: Payment, terms: PaymentTerms): SettleOutcome {
  const { success, transaction, network, payer, errorReason } = understand(reply, settleResponse);
  if (!success) {
    const reason = (errorReason || "settlement_failed").slice(0, maxReasonLength);
    const reverted = !transaction || revertedReason.test(reason);
    if (reverted && !openReason.test(reason)) return { kind: "refused", reason };
    return unknown(`${reason}, transaction ${transaction || "not named"}`);
  }
  if (reply.status >= 400) return unknown(`success with status ${reply.status}`);
  if (!transactionHash.test(transaction ?? "")) return unknown("success without a transaction");
  // Facilitators answer with either name, whatever the version.
  if (network && network !== terms.network && network !== terms.networkV1) {
    return unknown(`settled on ${network}, not ${terms.network}`);
  }
  if (isOther(payer, payment)) return unknown(`settled for payer ${payer}`);
  return { kind: "settled", transaction: transaction! };
}

function readRefusal(invalidReason: string | null | undefined): VerifyOutcome {
  const reason = (invalidReason || "invalid").slice(0, maxReasonLength);
  // "unexpected_verify_error" says something of the facilitator and nothing of the payment.
  if (openReason.test(reason)) throw new Failure("facilitator_invalid", reason);
  return { kind: "invalid", reason };
}

function isOther(payer: string | null | undefined, { authorization }: Payment): boolean {
  return !!payer && payer.toLowerCase() !== authorization.payer;
}

function unknown(detail: string): SettleOutcome {
  return { kind: "unknown", failure: new Failure("settlement_unknown", detail) };
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
