/** The RBAC objects that give a ServiceAccount what `controller/cluster/permissions.ts` lists. */
import { type Permission, permissions } from "../controller/cluster/permissions.ts";

/** A ServiceAccount. */
export interface Account {
  readonly namespace: string;
  readonly name: string;
}

/** An object of rbac.authorization.k8s.io/v1, or the ServiceAccount itself. */
export interface RoleManifest {
  readonly apiVersion: string;
  readonly kind: "ServiceAccount" | "ClusterRole" | "ClusterRoleBinding" | "Role" | "RoleBinding";
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly [field: string]: unknown;
}

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

const apiVersion = "rbac.authorization.k8s.io/v1";
const watched = permissions.filter(({ where }) => where === "watched");
const operator = permissions.filter(({ where }) => where === "operator");

/**
 * For an operator that watches all namespaces.
 *
 * @param name of the roles and bindings
 */
export function clusterWideAccess(account: Account, name: string): RoleManifest[] {
  const metadata = { name };
  return [
    { apiVersion, kind: "ClusterRole", metadata, rules: watched.map(rule) },
    {
      apiVersion,
      kind: "ClusterRoleBinding",
      metadata,
      roleRef: roleRef("ClusterRole", name),
      subjects: [subject(account)],
    },
    ...role(account, name, account.namespace, operator.filter(isNotWatched)),
  ];
}

/** For an operator with `--watch-namespaces`; its own namespace is one of them only if it is named. */
export function namespacedAccess(
  account: Account,
  name: string,
  namespaces: readonly string[],
): RoleManifest[] {
  return [
    ...role(account, `${name}-own`, account.namespace, operator),
    ...namespaces.flatMap((namespace) => role(account, name, namespace, watched)),
  ];
}

/** Whether the ClusterRole does not give it already. */
function isNotWatched({ apiGroup, resource, verbs }: Permission): boolean {
  return !watched.some((each) =>
    each.apiGroup === apiGroup && each.resource === resource &&
    verbs.every((verb) => each.verbs.includes(verb))
  );
}

function role(
  account: Account,
  name: string,
  namespace: string,
  allowed: readonly Permission[],
): RoleManifest[] {
  const metadata = { namespace, name };
  return [
    { apiVersion, kind: "Role", metadata, rules: allowed.map(rule) },
    {
      apiVersion,
      kind: "RoleBinding",
      metadata,
      roleRef: roleRef("Role", name),
      subjects: [subject(account)],
    },
  ];
}

function rule({ apiGroup, resource, name, verbs }: Permission): Rule {
  return {
    apiGroups: [apiGroup],
    resources: [resource],
    ...(name !== undefined && { resourceNames: [name] }),
    verbs,
  };
}

function roleRef(kind: "ClusterRole" | "Role", name: string) {
  return { apiGroup: "rbac.authorization.k8s.io", kind, name };
}

function subject({ namespace, name }: Account) {
  return { kind: "ServiceAccount", namespace, name };
}
