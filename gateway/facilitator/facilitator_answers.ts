import { z } from "zod";
import type { SupportedKind } from "../../store/facilitator_support.ts";
import type { PaymentTerms } from "../../store/route_snapshot.ts";
import { Failure } from "../failures.ts";
import type { Payment } from "../payment/payment_header.ts";
import { firstIssue, settleResponse, verifyResponse } from "../payment/wire.ts";
import { FacilitatorFailure } from "./facilitator_failure.ts";
import type { FacilitatorReply } from "./facilitator_http.ts";
import { asCode, forLog, isRefusal, isReverted, leavesOpen } from "./facilitator_words.ts";

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

const supportedResponse = z.object({
  kinds: z.array(z.object({
    x402Version: z.number(),
    scheme: z.string(),
    network: z.string(),
    extra: z.record(z.string(), z.unknown()).nullish(),
  })),
});

/** What a facilitator takes (x402-specification-v2.md, section 7.3), as far as the gateway reads it. */
export interface SupportedKinds {
  readonly kinds: readonly SupportedKind[];
}

/** A transaction hash: it goes into headers, so nothing else may come of a facilitator. */
const transactionHash = /^0x[0-9a-fA-F]{64}$/;
/** No transaction has it; it stands for "none". */
const zeroHash = /^0x0+$/;

/** @throws {FacilitatorFailure} when the answer is no verdict */
export function readVerdict(reply: FacilitatorReply, payment: Payment): VerifyOutcome {
  const answer = understand(reply, verifyResponse);
  if (!answer.isValid) return readRefusal(answer.invalidReason);
  if (reply.status >= 400) throw unusable(`"valid" with status ${reply.status}`);
  if (answer.invalidReason) throw unusable(`"valid", but ${forLog(answer.invalidReason)}`);
  if (isOther(answer.payer, payment)) throw unusable(`"valid" for payer ${forLog(answer.payer!)}`);
  return { kind: "valid" };
}

/** @throws {FacilitatorFailure} when the answer says nothing of the settlement */
export function readSettlement(
  reply: FacilitatorReply,
  payment: Payment,
  terms: PaymentTerms,
): SettleOutcome {
  const answer = understand(reply, settleResponse);
  const { transaction, network, payer, errorReason } = answer;
  if (!answer.success) return readFailure(answer);
  if (reply.status >= 400) return unknown(`success with status ${reply.status}`);
  if (errorReason) return unknown(`success, but ${forLog(errorReason)}`);
  if (!isHash(transaction)) return unknown("success without a transaction");
  // The specification requires it (section 5.3.2). Facilitators answer with either name, whatever the version.
  if (!network) return unknown("success without a network");
  if (network !== terms.network && network !== terms.networkV1) {
    return unknown(`settled on ${forLog(network)}, not ${terms.network}`);
  }
  if (isOther(payer, payment)) return unknown(`settled for payer ${forLog(payer!)}`);
  return { kind: "settled", transaction };
}

/**
 * A failure says that no money moved only if it is a code that is given before anything is sent, or
 * names a transaction that was reverted. Published facilitators catch errors after the transaction was
 * sent and report their words without a transaction: a buyer who got new terms then would pay twice.
 */
function readFailure(
  { transaction, errorReason, errorMessage }: z.infer<typeof settleResponse>,
): SettleOutcome {
  const reason = asCode(errorReason);
  const isOver = reason !== undefined && !leavesOpen(errorMessage) &&
    (transaction ? isReverted(reason) && isHash(transaction) : isRefusal(reason));
  if (isOver) return { kind: "refused", reason };
  const words = forLog([errorReason, errorMessage].filter(Boolean).join(": "));
  return unknown(`${words || "no reason"}, transaction ${forLog(transaction || "not named")}`);
}

function isHash(transaction: string | null | undefined): transaction is string {
  return !!transaction && transactionHash.test(transaction) && !zeroHash.test(transaction);
}

/** @throws {FacilitatorFailure} when it does not say what it supports */
export function readSupported(reply: FacilitatorReply): SupportedKinds {
  const { kinds } = understand(reply, supportedResponse);
  if (reply.status >= 400) throw unusable(`kinds with status ${reply.status}`);
  return {
    kinds: kinds.map(({ extra, ...kind }) => ({ ...kind, ...(extra != null && { extra }) })),
  };
}

/** The answer as the schema has it. Some facilitators refuse with 4xx and a proper body: that counts. */
function understand<S extends z.ZodType>(reply: FacilitatorReply, schema: S): z.infer<S> {
  const { status, text, retryAfterSeconds } = reply;
  if (status === 429) {
    const options = { retryAfterSeconds };
    throw new FacilitatorFailure("facilitator_busy", "status 429", "maybe", options);
  }
  if (status >= 500 || (status >= 300 && status < 400)) throw unusable(`status ${status}`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw unusable(`status ${status}, not JSON`);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw unusable(`status ${status}, ${firstIssue(parsed.error)}`);
}

function readRefusal(invalidReason: string | null | undefined): VerifyOutcome {
  // "unexpected_verify_error" says something of the facilitator and nothing of the payment.
  if (leavesOpen(invalidReason)) throw unusable(forLog(invalidReason!));
  return { kind: "invalid", reason: asCode(invalidReason) ?? "invalid_payment" };
}

function isOther(payer: string | null | undefined, { authorization }: Payment): boolean {
  return !!payer && payer.toLowerCase() !== authorization.payer;
}

function unusable(detail: string): FacilitatorFailure {
  return new FacilitatorFailure("facilitator_invalid", detail, "maybe");
}

function unknown(detail: string): SettleOutcome {
  return { kind: "unknown", failure: new Failure("settlement_unknown", detail) };
}
