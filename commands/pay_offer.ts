import { z } from "zod";
import { PayError } from "./pay_error.ts";
import { findKnownAsset, findNetwork, type KnownAsset } from "../crd/networks.ts";

const uint256 = z.string().regex(/^\d{1,78}$/);

/** What the entries of `accepts` have in common in both versions. */
const requirements = z.looseObject({
  scheme: z.string(),
  /** Version 1 name or CAIP-2 id. */
  network: z.string(),
  asset: z.string(),
  payTo: z.string(),
  maxTimeoutSeconds: z.number(),
});
type Requirements = Readonly<z.infer<typeof requirements>>;

/** 402 body of version 1 (x402-specification-v1.md, section 5.1). */
const paymentRequiredV1 = z.looseObject({
  x402Version: z.literal(1),
  error: z.string().nullish(),
  accepts: z.array(
    requirements.extend({ maxAmountRequired: uint256, description: z.string().nullish() }),
  ),
});

/** PAYMENT-REQUIRED header of version 2 (x402-specification-v2.md, section 5.1). */
const paymentRequiredV2 = z.looseObject({
  x402Version: z.literal(2),
  error: z.string().nullish(),
  resource: z.looseObject({ url: z.string(), description: z.string().nullish() }),
  accepts: z.array(requirements.extend({ amount: uint256 })),
});

/** One way to pay that a 402 offers. */
export interface Offer {
  readonly version: 1 | 2;
  /** Atomic units. */
  readonly amount: bigint;
  readonly description: string;
  /** The entry of `accepts` as it came; version 2 sends it back unchanged. */
  readonly requirements: Requirements;
  /** `resource` as it came; version 2 only. */
  readonly resource?: Readonly<Record<string, unknown>>;
}

/** What a 402 says: the ways to pay, and why it was sent. */
export interface PaymentRequired {
  readonly offers: readonly Offer[];
  readonly error: string;
}

/**
 * Reads the offers of a 402. With protocol `auto` the header of version 2 goes before the body of
 * version 1, as in the published buyers.
 * @throws {PayError} when there are none in that protocol, or they cannot be read
 */
export function readPaymentRequired(
  headers: Headers,
  body: string,
  protocol: "auto" | "1" | "2",
): PaymentRequired {
  const header = headers.get("payment-required");
  if (protocol !== "1" && header !== null) return readV2(header);
  if (protocol === "2") throw new PayError("The 402 has no PAYMENT-REQUIRED header (version 2).");
  return readV1(body);
}

function readV2(header: string): PaymentRequired {
  const { resource, accepts, error } = read(
    () => JSON.parse(new TextDecoder().decode(Uint8Array.fromBase64(header))),
    paymentRequiredV2,
    "PAYMENT-REQUIRED header",
  );
  return {
    error: error ?? "",
    offers: accepts.map((requirements) => ({
      version: 2,
      amount: BigInt(requirements.amount),
      description: resource.description ?? "",
      requirements,
      resource,
    })),
  };
}

function readV1(body: string): PaymentRequired {
  const { accepts, error } = read(() => JSON.parse(body), paymentRequiredV1, "body");
  return {
    error: error ?? "",
    offers: accepts.map((requirements) => ({
      version: 1,
      amount: BigInt(requirements.maxAmountRequired),
      description: requirements.description ?? "",
      requirements,
    })),
  };
}

function read<S extends z.ZodType>(decode: () => unknown, schema: S, where: string): z.infer<S> {
  let decoded;
  try {
    decoded = decode();
  } catch {
    throw new PayError(`The ${where} of the 402 is not JSON.`);
  }
  const result = schema.safeParse(decoded);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new PayError(`The ${where} of the 402 is no offer: ${issue?.path.join(".")} is wrong.`);
}

/**
 * Seconds that a signed payment may be good for: a seller who chose more could keep it and take the
 * money long after. The gateway asks for at most this too.
 */
const maxValiditySeconds = 3600;

/** The token of an offer, or in a sentence why this client cannot pay it. */
export function findToken({ requirements }: Offer): KnownAsset | string {
  const { scheme, network, asset, maxTimeoutSeconds } = requirements;
  if (scheme !== "exact") return `the scheme ${scheme} is not supported`;
  if (
    !Number.isInteger(maxTimeoutSeconds) || maxTimeoutSeconds < 1 ||
    maxTimeoutSeconds > maxValiditySeconds
  ) {
    const allowed = `a whole number of seconds from 1 to ${maxValiditySeconds}`;
    return `maxTimeoutSeconds is ${maxTimeoutSeconds}, it must be ${allowed}`;
  }
  const caip2 = findNetwork(network)?.caip2;
  if (caip2 === undefined) return `the network ${network} is not known`;
  return findKnownAsset(caip2, asset) ?? `the token ${asset} is not known on ${network}`;
}
