import { keyOf, type ObjectName } from "../cluster_state.ts";
import { type Finding, finding } from "./finding.ts";
import type { OriginalIngress } from "./original_ingress.ts";
import type { RouteClaim } from "./route_claim.ts";

/** Lets X402Routes of other namespaces name an Ingress: their names with commas between, or `*`. */
export const allowedNamespacesAnnotation = "x402.io/allowed-namespaces";

/**
 * The Ingress that a claim's rules apply to, or why there is none. Whoever could name an Ingress of
 * somebody else could have its visitors pay into a wallet of his own, so its owner has to agree.
 * `ingresses` are by `namespace/name`.
 */
export function assignIngress(
  { name, ingress: reference, manual }: RouteClaim,
  ingresses: ReadonlyMap<string, OriginalIngress>,
): OriginalIngress | Finding | undefined {
  if (reference === undefined) return undefined;
  const ingress = ingresses.get(keyOf(reference));
  const where = `names Ingress ${keyOf(reference)}, which`;
  const path = ["spec", "ingressRef"];
  // Permission first: whether somebody else's Ingress exists is nobody's business.
  if (reference.namespace !== name.namespace && !allows(ingress, name)) {
    return finding(
      "not-permitted",
      path,
      `${where} has to allow it with the annotation ${allowedNamespacesAnnotation}: ` +
        name.namespace,
    );
  }
  if (reference.namespace !== name.namespace && manual) {
    // Its backends would be Services of somebody else, who has allowed prices and not that.
    const sentence = "is of another namespace, where the mode Manual is not allowed";
    return finding("not-permitted", path, sentence);
  }
  return ingress ?? finding("ingress-not-found", path, `${where} does not exist`);
}

function allows(ingress: OriginalIngress | undefined, { namespace }: ObjectName): boolean {
  const allowed = ingress?.live.metadata.annotations?.[allowedNamespacesAnnotation] ?? "";
  return allowed.split(",").map((entry) => entry.trim())
    .some((entry) => entry === "*" || entry === namespace);
}
