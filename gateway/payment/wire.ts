import { z } from "zod";

/**
 * The messages of x402 versions 1 and 2 that arrive from outside, as far as the gateway reads them
 * (x402-specification-v2.md, sections 5.2, 7.1 and 7.2; -v1.md likewise). Unknown fields pass.
 */

const hexAddress = z.string().regex(/^0x[0-9a-fA-F]{40}$/);
/** A uint256 in decimal. */
const uint256 = z.string().regex(/^\d{1,78}$/);
const signature = z.string().regex(/^0x[0-9a-fA-F]+$/);

// Strict, because facilitators look for one kind of authorization before the other: in a payload with
// both, the one that is charged would not be the one that was checked here.

/** `payload` of the `exact` scheme by EIP-3009 `transferWithAuthorization`. */
const eip3009Payload = z.strictObject({
  signature,
  authorization: z.object({
    from: hexAddress,
    to: hexAddress,
    value: uint256,
    validAfter: uint256,
    validBefore: uint256,
    nonce: z.string().regex(/^0x[0-9a-fA-F]{64}$/),
  }),
});

/** `payload` of the `exact` scheme by Permit2 `permitWitnessTransferFrom`. */
const permit2Payload = z.strictObject({
  signature,
  permit2Authorization: z.object({
    permitted: z.object({ token: hexAddress, amount: uint256 }),
    from: hexAddress,
    nonce: uint256,
    deadline: uint256,
    witness: z.object({ to: hexAddress, validAfter: uint256 }),
  }),
});

const exactPayload = z.union([eip3009Payload, permit2Payload]);
export type ExactPayload = z.infer<typeof exactPayload>;

export const paymentV1 = z.object({
  x402Version: z.literal(1),
  scheme: z.string(),
  network: z.string(),
  payload: exactPayload,
});
export type PaymentV1 = z.infer<typeof paymentV1>;

/** What a buyer calls its payment (payment_identifier.md, "`id` Format"). */
const paymentIdentifier = z.object({
  info: z.object({
    id: z.string().regex(/^[A-Za-z0-9_-]{16,128}$/, "16 to 128 letters, digits, - and _").nullish(),
  }).nullish(),
});

export const paymentV2 = z.object({
  x402Version: z.literal(2),
  resource: z.object({ url: z.string() }).nullish(),
  extensions: z.object({ "payment-identifier": paymentIdentifier.nullish() }).nullish(),
  accepted: z.object({
    scheme: z.string(),
    network: z.string(),
    amount: z.string(),
    asset: z.string(),
    payTo: z.string(),
    maxTimeoutSeconds: z.number(),
    extra: z.record(z.string(), z.unknown()).nullish(),
  }),
  payload: exactPayload,
});
export type PaymentV2 = z.infer<typeof paymentV2>;

export const verifyResponse = z.object({
  isValid: z.boolean(),
  invalidReason: z.string().nullish(),
  payer: z.string().nullish(),
});

export const settleResponse = z.object({
  success: z.boolean(),
  errorReason: z.string().nullish(),
  errorMessage: z.string().nullish(),
  transaction: z.string().nullish(),
  network: z.string().nullish(),
  payer: z.string().nullish(),
});

/** One line for people: the first thing that is wrong and where. */
export function firstIssue(error: z.ZodError): string {
  let [issue] = error.issues;
  // Of a union, the branch that got furthest says most.
  while (issue?.code === "invalid_union" && issue.errors.length > 0) {
    const branch = issue.errors.toSorted((a, b) => a.length - b.length)[0];
    if (branch?.[0] === undefined) break;
    issue = { ...branch[0], path: [...issue.path, ...branch[0].path] };
  }
  if (issue === undefined) return "invalid";
  // Their names are the buyer's own words.
  const message = issue.code === "unrecognized_keys" ? "has unknown keys" : issue.message;
  return `${issue.path.join(".") || "payment"}: ${message}`;
}
