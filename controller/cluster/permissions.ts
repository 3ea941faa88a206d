import type { RequestKind } from "./request_kind.ts";

/** What the operator may do with one kind of object, as a rule of RBAC says it. */
export interface Permission {
  /** Empty for the core group. */
  readonly apiGroup: string;
  /** Plural, with a subresource if any: `x402routes/status`. */
  readonly resource: string;
  readonly verbs: readonly RequestKind["verb"][];
  /** In every namespace that is watched, or in the operator's own. */
  readonly where: "watched" | "operator";
  /** The one object that it is about; a `create` cannot be limited to a name. */
  readonly name?: string;
  readonly why: string;
}

/**
 * All that the operator does in a cluster, and all that it is allowed to do: the roles in
 * `deploy/rbac` are made from it, and `tests/cluster/rbac_test.ts` compares it with the requests of
 * a running operator, in both directions.
 */
export const permissions: readonly Permission[] = [
  {
    apiGroup: "x402.io",
    resource: "x402routes",
    verbs: ["list", "watch", "patch"],
    where: "watched",
    why: "read what is charged for; set the finalizer that puts Ingresses back",
  },
  {
    apiGroup: "x402.io",
    resource: "x402routes/status",
    verbs: ["patch"],
    where: "watched",
    why: "say what became of it",
  },
  {
    apiGroup: "networking.k8s.io",
    resource: "ingresses",
    verbs: ["list", "watch", "patch"],
    where: "watched",
    why: "lead paths that cost something to the gateway, and back",
  },
  {
    apiGroup: "",
    resource: "services",
    verbs: ["list", "watch", "create", "delete"],
    where: "watched",
    why: "find the ports of backends; make the Service that leads to the gateway",
  },
  {
    apiGroup: "discovery.k8s.io",
    resource: "endpointslices",
    verbs: ["list", "watch", "create", "patch", "delete"],
    where: "watched",
    why: "repeat the gateway's addresses behind that Service",
  },
  {
    apiGroup: "events.k8s.io",
    resource: "events",
    verbs: ["create"],
    where: "watched",
    why: "tell people what happened to their Ingresses and X402Routes",
  },
  {
    apiGroup: "",
    resource: "services",
    verbs: ["list", "watch"],
    where: "operator",
    why: "find the port of the operator's own Service",
  },
  {
    apiGroup: "discovery.k8s.io",
    resource: "endpointslices",
    verbs: ["list", "watch"],
    where: "operator",
    why: "find the addresses of the gateway",
  },
  {
    apiGroup: "coordination.k8s.io",
    resource: "leases",
    verbs: ["create"],
    where: "operator",
    why: "elect the replica that writes",
  },
  {
    apiGroup: "coordination.k8s.io",
    resource: "leases",
    verbs: ["list", "watch", "update"],
    where: "operator",
    name: "x402-k8s-operator",
    why: "the same: only the Lease of that name",
  },
];
