import type { z } from "zod";
import type { PaymentTerms } from "../../store/route_snapshot.ts";
import { Failure } from "../failures.ts";
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
  /** The call was sent and nothing reliable came back: money may have moved. */
  | { readonly kind: "unknown"; readonly failure: Failure };

/** In milliseconds, each for the whole call. Settlement waits for a block. */
export interface FacilitatorTimeouts {
  readonly verifyMs: number;
  readonly settleMs: number;
}

/** Bytes of a facilitator's answer that are read at most; real ones have a few hundred. */
const maxAnswerBytes = 64 * 1024;

/** The one reason code that leaves the outcome open: the transaction was sent and not seen in a block. */
const pendingReason = "settlement_pending";

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

  constructor(private readonly timeouts: FacilitatorTimeouts) {}

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
    if (!answer.isValid) return { kind: "invalid", reason: answer.invalidReason || "invalid" };
    if (reply.status >= 400) {
      throw new Failure("facilitator_invalid", `"valid" with status ${reply.status}`);
    }
    return { kind: "valid" };
  }

  /** Never throws: once the call is made, every failure is an outcome about money. */
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
      if (error instanceof Failure) return { kind: "unknown", failure: error };
      throw error;
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
    if (errorReason !== pendingReason) {
      return { kind: "refused", reason: errorReason || "settlement_failed" };
    }
    return unknown(`${pendingReason}, transaction ${transaction ?? "not named"}`);
  }
  if (reply.status >= 400) return unknown(`success with status ${reply.status}`);
  if (!transaction) return unknown("success without a transaction");
  const expected = payment.message.x402Version === 2 ? terms.network : terms.networkV1;
  if (network && network !== expected) return unknown(`settled on ${network}, not ${expected}`);
  if (payer && payer.toLowerCase() !== payment.authorization.payer) {
    return unknown(`settled for payer ${payer}`);
  }
  return { kind: "settled", transaction };
}

function unknown(detail: string): SettleOutcome {
  return { kind: "unknown", failure: new Failure("settlement_unknown", detail) };
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
