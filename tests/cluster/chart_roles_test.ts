/** The chart gives the operator the rights that the cluster tests give it, and no others. */
import assert from "node:assert/strict";
import {
  clusterWideAccess,
  namespacedAccess,
  type RoleManifest,
} from "../../generate/role_manifests.ts";
import { helmTest, releaseName as name, render, type Rendered } from "./helm_chart.ts";

const namespace = "x402-system";
const account = { namespace, name };

/** The roles and bindings, by what is the same wherever they come from. */
function comparable(objects: readonly (Rendered | RoleManifest)[]) {
  return objects.filter(({ kind }) => /^(Cluster)?Role(Binding)?$/.test(kind))
    .map(({ apiVersion, kind, metadata: { name, namespace }, rules, roleRef, subjects }) => {
      return { apiVersion, kind, name, namespace, rules, roleRef, subjects };
    }).sort((one, other) => JSON.stringify(one) < JSON.stringify(other) ? -1 : 1);
}

helmTest("the chart's ClusterRole is the one that the cluster tests use", async () => {
  const rendered = comparable(await render(namespace));
  assert.deepEqual(rendered, comparable(clusterWideAccess(account, name)));
});

helmTest("the chart's Roles per namespace are those that the cluster tests use", async () => {
  const rendered = comparable(await render(namespace, "--set", "watchNamespaces={shop,bank}"));
  assert.deepEqual(rendered, comparable(namespacedAccess(account, name, ["shop", "bank"])));
});

helmTest("the roles are bound to the ServiceAccount that the pods and the hook have", async () => {
  const rendered = await render(namespace, "--set", "serviceAccount.name=teller");
  const pods = rendered.flatMap(({ spec }) => spec?.template?.spec ?? []);
  const bound = rendered.flatMap(({ subjects = [] }) => subjects);
  assert.deepEqual(pods.map(({ serviceAccountName }) => serviceAccountName), ["teller", "teller"]);
  for (const it of bound) assert.deepEqual([it.namespace, it.name], [namespace, "teller"]);
  assert.equal(bound.length, 2);
});

helmTest("nobody but the operator is given anything, unless it is asked for", async () => {
  const roles = (rendered: readonly Rendered[]) =>
    rendered.filter(({ kind }) => kind.endsWith("Role")).map(({ metadata }) => metadata.name);
  assert.deepEqual(roles(await render(namespace)), [name, name]);
  assert.deepEqual(roles(await render(namespace, "--set", "rbac.create=false")), []);
  assert.deepEqual(
    roles(await render(namespace, "--set", "rbac.aggregateRoles=true")).sort(),
    [name, name, `${name}-edit`, `${name}-view`],
  );
});
