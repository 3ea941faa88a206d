import type { PaymentRequirements } from "@x402/core/types";
import type { LocalAccount } from "viem/accounts";
import { PayError } from "./pay_error.ts";
import type { Offer } from "./pay_offer.ts";

/**
 * Signs the payment of an offer: name and value of the request header that carries it
 * (`PAYMENT-SIGNATURE` or `X-PAYMENT`). From here on the server can take the money.
 * @throws {PayError} when the offer lacks what has to be signed
 */
export async function signOffer(
  account: LocalAccount,
  offer: Offer,
): Promise<[name: string, value: string]> {
  try {
    return await (offer.version === 1 ? signV1(account, offer) : signV2(account, offer));
  } catch (error) {
    // Of viem's messages, which have many lines, the first says it.
    const [why] = (error as Error).message.split("\n");
    throw new PayError(`Nothing was signed: ${why}`);
  }
}

async function signV1(account: LocalAccount, offer: Offer): Promise<[string, string]> {
  const { ExactEvmSchemeV1 } = await import("@x402/evm/exact/v1/client");
  const scheme = new ExactEvmSchemeV1(account);
  return ["X-PAYMENT", encode(await scheme.createPaymentPayload(1, requirementsOf(offer)))];
}

async function signV2(account: LocalAccount, offer: Offer): Promise<[string, string]> {
  const { ExactEvmScheme } = await import("@x402/evm/exact/client");
  const scheme = new ExactEvmScheme(account);
  const payment = await scheme.createPaymentPayload(2, requirementsOf(offer));
  const { resource, requirements: accepted } = offer;
  return ["PAYMENT-SIGNATURE", encode({ ...payment, resource, accepted })];
}

/** The library types both versions as the newer one. */
function requirementsOf({ requirements }: Offer): PaymentRequirements {
  return requirements as unknown as PaymentRequirements;
}

function encode(message: unknown): string {
  return new TextEncoder().encode(JSON.stringify(message)).toBase64();
}
