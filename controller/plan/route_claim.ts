import { parseX402Route, type X402Route } from "../../crd/x402route.ts";
import type { Rule } from "../../store/route_snapshot.ts";
import { keyOf, type ObjectName, type RawObject, type Service } from "../cluster_state.ts";
import { blockedRules, readIngressRef, readMode } from "./blocked_rules.ts";
import { compileRules } from "./compile_rules.ts";
import { facilitatorService } from "./facilitator_service.ts";
import { type Finding, finding } from "./finding.ts";
import { LastResults } from "../../store/last_results.ts";
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
  /** Whether its Ingress is left alone; its rules then say where their requests go. */
  readonly manual: boolean;
  /** Comes after the rules of all other X402Routes of the Ingress. */
  readonly catchAll?: Rule;
  readonly findings: readonly Finding[];
  /** What the manifest, invalid as it is, charges for on another Ingress than the form in force. */
  readonly elsewhere?: RouteClaim;
}

/** What the reading of an X402Route depends on. */
export interface ClaimSurroundings {
  /** By `namespace/name`. */
  readonly services: ReadonlyMap<string, Service>;
  readonly options: PlanOptions;
  /** By `namespace/name` of the X402Route: its last valid form. */
  readonly accepted: ReadonlyMap<string, X402Route>;
}

/**
 * Reads one X402Route. An invalid one keeps its last valid form, if there is one, in force;
 * without one its rules are blocked. They are blocked too on an Ingress that the last valid form
 * does not name: a typing error made while renaming an Ingress must not open its paths.
 */
export function readClaim(raw: RawObject, surroundings: ClaimSurroundings): RouteClaim {
  const { options } = surroundings;
  const { route, claim, findings } = manifests.get(raw, [options], () => readRoute(raw, options));
  const refused = route === undefined ? [] : refusedFacilitator(route, surroundings);
  return claim !== undefined && refused.length === 0
    ? claim
    : claimInstead(raw, [...findings, ...refused], surroundings);
}

/** What is in force of an X402Route that is invalid. */
function claimInstead(
  raw: RawObject,
  findings: readonly Finding[],
  surroundings: ClaimSurroundings,
): RouteClaim {
  const { metadata } = raw;
  const name = nameOf(raw);
  const blocked = blockedClaim(raw, name, findings);
  const last = surroundings.accepted.get(keyOf(name));
  if (last === undefined || refusedFacilitator(last, surroundings).length > 0) return blocked;
  const lastValid = validForm(last, name, surroundings.options).valid;
  if (lastValid === undefined) return blocked;
  const moved = blocked.ingress !== undefined &&
    keyOf(blocked.ingress) !== keyOf(lastValid.ingress);
  return {
    ...{ metadata, name, form: "last-valid", ...lastValid, findings: blocked.findings },
    ...(moved && { elsewhere: blocked }),
  };
}

function blockedClaim(
  raw: RawObject,
  name: ObjectName,
  invalid: readonly Finding[],
): RouteClaim {
  const claim = {
    metadata: raw.metadata,
    name,
    form: "blocked" as const,
    manual: readMode(raw) === "Manual",
  };
  const ingress = readIngressRef(raw);
  if (ingress === undefined) {
    const sentence = "cannot be read, so it is not known which Ingress it is about";
    const unreadable = finding("ingress-unreadable", ["spec", "ingressRef"], sentence);
    return { ...claim, rules: [], findings: [...invalid, unreadable] };
  }
  const reason = `X402Route ${keyOf(name)} is invalid: ${invalid[0]?.problem.message}`;
  return { ...claim, ingress, ...blockedRules(raw, name, reason), findings: invalid };
}

/** What can be said of a manifest by itself. */
interface Manifest {
  /** Absent where it is not even what the schema asks for. */
  readonly route?: X402Route;
  /** Absent where a finding is "invalid". */
  readonly claim?: RouteClaim;
  readonly findings: readonly Finding[];
}

const manifests = new LastResults<RawObject, Manifest>();

function readRoute(raw: RawObject, options: PlanOptions): Manifest {
  const { metadata } = raw;
  const name = nameOf(raw);
  const parsed = parseX402Route(raw);
  const ignored = ignoredFields(raw);
  if (!parsed.ok) {
    const invalid = parsed.problems.map((problem): Finding => ({ kind: "invalid", problem }));
    return { findings: [...invalid, ...ignored] };
  }
  const { route } = parsed;
  const { valid, findings: found } = validForm(route, name, options);
  const findings = [...found, ...ignored];
  const claim = valid && { metadata, name, form: "current" as const, ...valid, findings };
  return { route, findings, ...(claim && { claim }) };
}

function nameOf({ metadata: { namespace, name } }: RawObject): ObjectName {
  return { namespace, name };
}

/** The API server drops them without a word. */
function ignoredFields(raw: RawObject): Finding[] {
  const known = ["apiVersion", "kind", "metadata", "spec", "status"];
  return Object.keys(raw).filter((field) => !known.includes(field)).map((field) =>
    finding("warning", [field], `has no effect: an X402Route has only ${known.join(", ")}`)
  );
}

/** `valid` is absent when a finding is "invalid". */
interface Reading {
  readonly valid?: Required<Pick<RouteClaim, "accepted" | "ingress" | "rules" | "manual">>;
  readonly findings: readonly Finding[];
}

function validForm(route: X402Route, name: ObjectName, options: PlanOptions): Reading {
  const { rules, findings } = compileRules(route, name, options);
  if (rules === undefined) return { findings };
  // The rest of the metadata belongs to the caller, whose objects the plan must not freeze.
  const accepted = { ...route, metadata: { ...name } };
  const { mode, name: ingressName, namespace = name.namespace } = route.spec.ingressRef;
  const ingress = { namespace, name: ingressName };
  return { valid: { accepted, ingress, rules, manual: mode === "Manual" }, findings };
}

function refusedFacilitator(
  { spec }: X402Route,
  { services, options }: ClaimSurroundings,
): Finding[] {
  return facilitatorService(spec.payment.facilitatorURL, services, options);
}
