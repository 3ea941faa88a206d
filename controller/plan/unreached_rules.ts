import type { Rule } from "../../store/route_snapshot.ts";
import { LastResults } from "../../store/last_results.ts";
import { keyOf } from "../cluster_state.ts";
import { type Finding, finding } from "./finding.ts";
import type { DecidedIngress } from "./ingress_outcome.ts";
import type { RouteClaim } from "./route_claim.ts";

/** What the author of an X402Route has to know of its rules that charge for nothing. */
export function unreachedRules(claim: RouteClaim, ingress: DecidedIngress): readonly Finding[] {
  const { unreached } = ingress.decision;
  return known.get(claim, [unreached], () => findingsOf(claim, unreached, ingress));
}

const known = new LastResults<RouteClaim, readonly Finding[]>();

function findingsOf(
  { rules }: RouteClaim,
  unreached: ReadonlySet<Rule>,
  { original }: DecidedIngress,
): Finding[] {
  const ingress = keyOf(original.live.metadata);
  return rules.flatMap((rule, index) =>
    unreached.has(rule)
      ? finding(
        "warning",
        ["spec", "routes", index],
        `(${rule.pattern}) charges for nothing: no path of Ingress ${ingress} can receive it`,
      )
      : []
  );
}
