import { parseX402Route, type X402Route } from "../../crd/x402route.ts";
import type { Rule } from "../../store/route_snapshot.ts";
import { keyOf, type ObjectName, type RawObject } from "../cluster_state.ts";
import { blockedRules, readIngressRef } from "./blocked_rules.ts";
import { compileRules } from "./compile_rules.ts";
import type { Finding } from "./finding.ts";
import type { PlanOptions } from "./plan_options.ts";

/** What one X402Route puts in force, valid or not. */
export interface RouteClaim {
  readonly metadata: RawObject["metadata"];
  readonly name: ObjectName;
  /** Where the rules come from: the manifest, its last valid form, or nothing that is valid. */
  readonly form: "current" | "last-valid" | "blocked";
  /** The form in force; absent when there is no valid one. */
  readonly accepted?: X402Route;
  /** Absent when not even that can be read. */
  readonly ingress?: ObjectName;
  /** In the order of `spec.routes` of the form in force. */
  readonly rules: readonly Rule[];
  /** Comes after the rules of all other X402Routes of the Ingress. */
  readonly catchAll?: Rule;
  readonly findings: readonly Finding[];
}

/**
 * Reads one X402Route. An invalid one keeps its last valid form (`last`, if there is one) in force;
 * without one its rules are blocked.
 */
export function readClaim(
  raw: RawObject,
  options: PlanOptions,
  last: ReadonlyMap<string, X402Route>,
): RouteClaim {
  const { metadata } = raw;
  const name = { namespace: metadata.namespace, name: metadata.name };
  const { valid, findings } = readRoute(raw, name, options);
  if (valid !== undefined) return { metadata, name, form: "current", ...valid, findings };
  const lastRoute = last.get(keyOf(name));
  const lastValid = lastRoute && validForm(lastRoute, name, options).valid;
  if (lastValid) return { metadata, name, form: "last-valid", ...lastValid, findings };
  const ingress = readIngressRef(raw);
  if (ingress === undefined) return { metadata, name, form: "blocked", rules: [], findings };
  const reason = `X402Route ${keyOf(name)} is invalid: ${findings[0]?.problem.message}`;
  const blocked = blockedRules(raw, name, reason);
  return { metadata, name, form: "blocked", ingress, ...blocked, findings };
}

/** `valid` is absent when a finding is "invalid". */
interface Reading {
  readonly valid?: Required<Pick<RouteClaim, "accepted" | "ingress" | "rules">>;
  readonly findings: readonly Finding[];
}

function readRoute(raw: RawObject, name: ObjectName, options: PlanOptions): Reading {
  const parsed = parseX402Route(raw);
  if (parsed.ok) return validForm(parsed.route, name, options);
  return { findings: parsed.problems.map((problem) => ({ kind: "invalid", problem })) };
}

function validForm(route: X402Route, name: ObjectName, options: PlanOptions): Reading {
  const { rules, findings } = compileRules(route, name, options);
  if (rules === undefined) return { findings };
  // The rest of the metadata belongs to the caller, whose objects the plan must not freeze.
  const accepted = { ...route, metadata: { ...name } };
  const ingress = { namespace: name.namespace, ...route.spec.ingressRef };
  return { valid: { accepted, ingress, rules }, findings };
}
