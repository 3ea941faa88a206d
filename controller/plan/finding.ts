import { fieldName } from "../../crd/describe_issue.ts";
import type { Problem } from "../../crd/x402route.ts";

/** What a finding means for the X402Route that it is reported on. */
export type FindingKind =
  /** The manifest is wrong: it is not accepted as it stands. */
  | "invalid"
  /** Which Ingress the manifest is about cannot be read. */
  | "ingress-unreadable"
  /** The owner of the Ingress has not allowed this namespace: nothing of the route is in force. */
  | "not-permitted"
  /** An older X402Route decides where this one wants to. */
  | "rule-conflict"
  /** An earlier rule of the same route decides first. */
  | "rule-unreachable"
  | "ingress-not-found"
  /** An older Ingress serves a host and path of the route's Ingress. */
  | "ingress-conflict"
  | "backend-not-found"
  /** The facilitator says that it does not support the network; its word changes nothing in force. */
  | "network-not-supported"
  /** In force as written, but maybe not what was meant. */
  | "warning";

export interface Finding {
  readonly kind: FindingKind;
  readonly problem: Problem;
}

/** A finding at a field; the sentence goes on after the field's name: `is "x"; allowed: y`. */
export function finding(kind: FindingKind, path: Problem["path"], sentence: string): Finding {
  return { kind, problem: { path, message: `${fieldName(path)} ${sentence}` } };
}
