import { Failure } from "../failures.ts";
import type { ReadableFields } from "../http1/header_fields.ts";
import { type ExactPayload, firstIssue, paymentV1, paymentV2 } from "./wire.ts";
import type { PaymentV1, PaymentV2 } from "./wire.ts";

/** Bytes of a payment header that are read at most; real ones take about 1 KiB. */
const maxHeaderBytes = 8 * 1024;

/** A payment as the buyer sent it, well formed but not yet compared with any terms. */
export interface Payment {
  readonly message: PaymentV1 | PaymentV2;
  /** The decoded JSON, complete: what the facilitator gets, unknown fields included. */
  readonly raw: unknown;
  readonly authorization: Authorization;
  /** What the buyer calls it (extension `payment-identifier`). */
  readonly identifier?: string;
}

/** What was signed, in one shape for both transfer methods. Amounts in atomic units, times in Unix seconds. */
export interface Authorization {
  readonly method: "eip3009" | "permit2";
  readonly payer: string;
  readonly payTo: string;
  readonly amount: bigint;
  /** Only Permit2 signs the token inside the message; EIP-3009 has it in the EIP-712 domain. */
  readonly token?: string;
  readonly validAfter: bigint;
  readonly validBefore: bigint;
  readonly nonce: string;
}

/** A payment of a version that the gateway does not speak: answered with the terms, not with 400. */
export class UnsupportedVersion {
  constructor(readonly found: unknown) {}
}

/**
 * Reads `PAYMENT-SIGNATURE` (version 2) or, in its absence, `X-PAYMENT` (version 1).
 * @returns `undefined` when neither is there
 * @throws {Failure} `payment_malformed`: size, base64, JSON or schema
 */
export function readPaymentHeader(
  headers: ReadableFields,
): Payment | UnsupportedVersion | undefined {
  const v2 = headers.get("payment-signature");
  if (v2 !== null) return parse(v2, "PAYMENT-SIGNATURE", 2);
  const v1 = headers.get("x-payment");
  if (v1 !== null) return parse(v1, "X-PAYMENT", 1);
  return undefined;
}

/** Whether there is something in the place of a payment. */
export function carriesPayment(headers: ReadableFields): boolean {
  return headers.has("payment-signature") || headers.has("x-payment");
}

function parse(value: string, name: string, version: 1 | 2): Payment | UnsupportedVersion {
  if (value.length > maxHeaderBytes) {
    throw malformed(`${name} has ${value.length} bytes; at most ${maxHeaderBytes} are allowed`);
  }
  const raw = decodeJson(value, name);
  if (typeof raw !== "object" || raw === null || Array.isArray(raw)) {
    throw malformed(`${name} holds JSON that is not an object`);
  }
  const found = (raw as { x402Version?: unknown }).x402Version;
  if (found !== version) return new UnsupportedVersion(found);
  return toPayment(raw, version, name);
}

/**
 * A decoded message as a payment.
 * @param name where it comes from, for people
 * @throws {Failure} `payment_malformed`
 */
export function toPayment(raw: object, version: 1 | 2, name: string): Payment {
  const parsed = version === 2 ? paymentV2.safeParse(raw) : paymentV1.safeParse(raw);
  if (!parsed.success) throw malformed(`${name} ${firstIssue(parsed.error)}`);
  const { data } = parsed;
  const authorization = readAuthorization(data.payload);
  const identifier = data.x402Version === 2
    ? data.extensions?.["payment-identifier"]?.info?.id ?? undefined
    : undefined;
  return { message: data, raw, authorization, ...(identifier !== undefined && { identifier }) };
}

function decodeJson(value: string, name: string): unknown {
  let bytes: Uint8Array;
  try {
    const alphabet = /[-_]/.test(value) ? "base64url" : "base64";
    bytes = Uint8Array.fromBase64(value, { alphabet });
  } catch {
    throw malformed(`${name} is not base64`);
  }
  try {
    return JSON.parse(strictUtf8.decode(bytes));
  } catch {
    throw malformed(`${name} is not base64 of JSON`);
  }
}

const strictUtf8 = new TextDecoder("utf-8", { fatal: true });

function readAuthorization(payload: ExactPayload): Authorization {
  if ("authorization" in payload) {
    const { from, to, value, validAfter, validBefore, nonce } = payload.authorization;
    return {
      method: "eip3009",
      payer: from.toLowerCase(),
      payTo: to,
      amount: BigInt(value),
      validAfter: BigInt(validAfter),
      validBefore: BigInt(validBefore),
      nonce: nonce.toLowerCase(),
    };
  }
  const { from, permitted, nonce, deadline, witness } = payload.permit2Authorization;
  return {
    method: "permit2",
    payer: from.toLowerCase(),
    payTo: witness.to,
    amount: BigInt(permitted.amount),
    token: permitted.token,
    validAfter: BigInt(witness.validAfter),
    validBefore: BigInt(deadline),
    // Permit2 nonces are numbers: 07 and 7 are the same one.
    nonce: BigInt(nonce).toString(),
  };
}

function malformed(detail: string): Failure {
  return new Failure("payment_malformed", detail);
}
