import type { PaymentTerms } from "../../store/route_snapshot.ts";

/** `PaymentRequirements` of version 2 (x402-specification-v2.md, section 5.1.2). */
export function requirementsV2(terms: PaymentTerms) {
  const { scheme, network, amount, asset, payTo, maxTimeoutSeconds } = terms;
  const extra = { ...terms.facilitatorExtra, ...terms.extra };
  return { scheme, network, amount, asset, payTo, maxTimeoutSeconds, extra };
}

/**
 * `PaymentRequirements` of version 1 without `resource`, which differs from request to request, or
 * `undefined` where version 1 cannot pay. `outputSchema` is left out: the published buyer throws on
 * the `null` of the specification's example.
 */
export function requirementsV1(terms: PaymentTerms) {
  const { scheme, networkV1, amount, asset, payTo, maxTimeoutSeconds, extra } = terms;
  if (networkV1 === undefined) return undefined;
  return {
    scheme,
    network: networkV1,
    maxAmountRequired: amount,
    description: terms.description,
    mimeType: terms.mimeType,
    payTo,
    maxTimeoutSeconds,
    asset,
    extra,
  };
}
