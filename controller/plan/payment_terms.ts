import { type AssetSpec, type PaymentSpec } from "../../crd/x402route.ts";
import { closestName } from "../../crd/closest_name.ts";
import {
  findKnownAsset,
  findNetwork,
  knownNetworkNames,
  type Network,
} from "../../crd/networks.ts";
import type { PaymentTerms } from "../../store/route_snapshot.ts";
import { parseAddress } from "./evm_address.ts";
import { parseFacilitatorUrl } from "./facilitator_url.ts";
import { type Finding, finding } from "./finding.ts";
import type { PlanOptions } from "./plan_options.ts";

/** What all paid rules of one X402Route have in common. */
export interface CommonTerms {
  readonly terms: Omit<PaymentTerms, "amount" | "price" | "description" | "mimeType">;
  /** Decimals of the asset. */
  readonly decimals: number;
}

interface Token {
  readonly asset: string;
  readonly decimals: number;
  readonly extra: PaymentTerms["extra"];
}

/** Reads `spec.payment`; `common` is absent when something is wrong with it. All findings at once. */
export function compilePayment(
  payment: PaymentSpec,
  options: PlanOptions,
): { common?: CommonTerms; findings: Finding[] } {
  const findings: Finding[] = [];
  const refuse = (field: string, value: string, reason: string) => {
    findings.push(invalid([field], `is ${JSON.stringify(value)}, ${reason}`));
  };
  const wallet = parseAddress(payment.wallet);
  if ("refused" in wallet) refuse("wallet", payment.wallet, wallet.refused);
  const facilitator = parseFacilitatorUrl(payment.facilitatorURL, options);
  if ("refused" in facilitator) {
    refuse("facilitatorURL", payment.facilitatorURL, facilitator.refused);
  }
  const network = findNetwork(payment.network);
  const token = network === undefined
    ? unknownNetwork(payment.network)
    : findToken(network, payment);
  if ("problem" in token) findings.push(token);
  else if ("address" in wallet && wallet.address === token.asset) {
    const reason = "the address of the token itself, which keeps what is sent to it for ever";
    refuse("wallet", payment.wallet, `${reason}; put in your own address`);
  }
  if (
    findings.length > 0 || "refused" in wallet || "refused" in facilitator ||
    network === undefined || "problem" in token
  ) return { findings };
  const { asset, decimals, extra } = token;
  // Version 1 has no way to say that a token is paid through Permit2.
  const nameV1 = extra.assetTransferMethod === undefined ? network.nameV1 : undefined;
  const terms = {
    scheme: "exact" as const,
    network: network.caip2,
    ...(nameV1 !== undefined && { networkV1: nameV1 }),
    asset,
    extra,
    payTo: wallet.address,
    maxTimeoutSeconds: payment.maxTimeoutSeconds,
    facilitatorUrl: facilitator.url,
    settle: payment.settle,
  };
  return { common: { terms, decimals }, findings };
}

function findToken(network: Network, payment: PaymentSpec): Token | Finding {
  if (payment.asset !== undefined) return tokenOf(network, payment.asset);
  const known = network.assets[0];
  if (known !== undefined) return knownToken(known);
  return invalid(
    ["network"],
    `is ${JSON.stringify(payment.network)}, for which no token is known; ` +
      `give one in spec.payment.asset, or choose one of these networks: ${allowedNames()}`,
  );
}

function tokenOf(network: Network, spec: AssetSpec): Token | Finding {
  const parsed = parseAddress(spec.address);
  if ("refused" in parsed) {
    return invalid(["asset", "address"], `is ${JSON.stringify(spec.address)}, ${parsed.refused}`);
  }
  const known = findKnownAsset(network.caip2, parsed.address);
  if (known !== undefined) return differenceFrom(known, network, spec) ?? knownToken(known);
  const { name, version, decimals } = spec;
  if (name === undefined || version === undefined || decimals === undefined) {
    return invalid(
      ["asset"],
      `has no name, version and decimals; they are needed because ${parsed.address} is not a ` +
        `token known on ${network.caip2}`,
    );
  }
  return { asset: parsed.address, decimals, extra: { name, version } };
}

/** Other decimals would silently multiply the price; in another domain no signature is valid. */
function differenceFrom(
  known: Network["assets"][number],
  network: Network,
  spec: AssetSpec,
): Finding | undefined {
  for (const field of ["name", "version", "decimals"] as const) {
    if (spec[field] === undefined || spec[field] === known[field]) continue;
    return invalid(
      ["asset", field],
      `is ${JSON.stringify(spec[field])}; that of ${known.symbol} on ${network.caip2} is ` +
        JSON.stringify(known[field]),
    );
  }
}

function knownToken(known: Network["assets"][number]): Token {
  const { address, name, version, decimals, assetTransferMethod: method } = known;
  // With Permit2 the token's own domain serves only its EIP-2612 approval, if it has one.
  const domain = method === undefined || known.supportsEip2612 === true;
  return {
    asset: address,
    decimals,
    extra: {
      ...(domain && { name, version }),
      ...(method !== undefined && { assetTransferMethod: method }),
    },
  };
}

function unknownNetwork(name: string): Finding {
  const meant = closestName(name, knownNetworkNames());
  const suggestion = meant === undefined ? "" : ` (did you mean "${meant}"?)`;
  return invalid(
    ["network"],
    `is ${JSON.stringify(name)}, not a known one${suggestion}; ` +
      `allowed: ${allowedNames()}, or any eip155:<chain id> with spec.payment.asset`,
  );
}

function allowedNames(): string {
  return knownNetworkNames().join(", ");
}

function invalid(fields: readonly string[], sentence: string): Finding {
  return finding("invalid", ["spec", "payment", ...fields], sentence);
}
