import type { SupportedKind } from "../../store/facilitator_support.ts";
import { LastResults } from "../../store/last_results.ts";
import type { FacilitatorExtra, PaymentTerms, Rule } from "../../store/route_snapshot.ts";
import { facilitatorExtra } from "./facilitator_extra.ts";
import { type Finding, finding } from "./finding.ts";
import type { RouteClaim } from "./route_claim.ts";

/**
 * What the facilitator of an X402Route says of itself: that it does not support the network is told,
 * and no more. Its rules stay in force, because the answer may be wrong for a moment, and payments
 * that the facilitator does refuse are refused by it.
 *
 * @param support by URL; nothing is known, and nothing said, of those that are not in it
 */
export function withFacilitatorKinds(
  claim: RouteClaim,
  support: ReadonlyMap<string, readonly SupportedKind[]>,
): RouteClaim {
  // All paid rules of an X402Route have the same facilitator and network.
  const terms = claim.rules.map(termsOf).find((each) => each !== undefined);
  const kinds = terms && support.get(terms.facilitatorUrl);
  if (terms === undefined || kinds === undefined) return claim;
  return known.get(claim, [kinds], () => {
    const matching = kinds.filter((kind) => isFor(kind, terms));
    if (matching.length > 0) {
      const { extra } = matching.find(({ x402Version }) => x402Version === 2) ?? {};
      return withExtra(claim, facilitatorExtra(extra));
    }
    // The manifest does not say any more what is in force of it.
    if (claim.form !== "current") return claim;
    return { ...claim, findings: [...claim.findings, notSupported(claim, terms, kinds)] };
  });
}

const known = new LastResults<RouteClaim, RouteClaim>();

function termsOf({ access }: Rule): PaymentTerms | undefined {
  return access.kind === "paid" ? access.terms : undefined;
}

/** One version is enough: which one a buyer speaks is not known before he pays. */
function isFor({ x402Version, scheme, network }: SupportedKind, terms: PaymentTerms): boolean {
  if (scheme !== terms.scheme) return false;
  if (x402Version === 1) return network === terms.networkV1;
  return x402Version === 2 && (network === terms.network || network === "eip155:*");
}

function notSupported(
  { accepted }: RouteClaim,
  { network, networkV1, scheme, facilitatorUrl }: PaymentTerms,
  kinds: readonly SupportedKind[],
): Finding {
  const others = kinds.filter((kind) => kind.scheme === scheme);
  const written = accepted?.spec.payment.network ?? network;
  const other = [network, networkV1].find((name) => name !== undefined && name !== written);
  return finding(
    "network-not-supported",
    ["spec", "payment", "network"],
    `is ${JSON.stringify(written)}${other === undefined ? "" : ` (${other})`}, which the ` +
      `facilitator ${facilitatorUrl} does not support; with the scheme ${scheme} it supports ` +
      listed(others),
  );
}

/** Names that can be shown to people; a facilitator may send anything. */
const networkName = /^[\w:.*-]{1,72}$/;
const maxNamesShown = 10;

function listed(kinds: readonly SupportedKind[]): string {
  const readable = kinds.filter(({ network }) => networkName.test(network));
  const names = [...new Set(readable.map(kindName))].sort();
  if (names.length === 0) return "no network at all";
  const shown = names.slice(0, maxNamesShown).join(", ");
  const rest = names.length - maxNamesShown;
  return rest > 0 ? `${shown} and ${rest} more` : shown;
}

/** Whoever confuses the names of the two versions has to see what he does. */
function kindName({ x402Version, network }: SupportedKind): string {
  const isUsual = x402Version === (network.includes(":") ? 2 : 1);
  return isUsual ? network : `${network} in version ${x402Version}`;
}

function withExtra(claim: RouteClaim, extra: FacilitatorExtra | undefined): RouteClaim {
  if (extra === undefined) return claim;
  const rules = claim.rules.map((rule): Rule => {
    const { access } = rule;
    if (access.kind !== "paid") return rule;
    return { ...rule, access: { ...access, terms: { ...access.terms, facilitatorExtra: extra } } };
  });
  return { ...claim, rules };
}
