/** What the chart makes of every file of values in `ci/`, on a real API server. */
import assert from "node:assert/strict";
import { parse } from "yaml";
import { runCommand } from "../../commands/run.ts";
import { AnyKind, type PodTemplate } from "./dry_run.ts";
import {
  chart,
  helm,
  helmClusterTest,
  helmTest,
  only,
  render,
  type Rendered,
  valueFiles,
} from "./helm_chart.ts";
import { findMonitoringCrds } from "./monitoring_crds.ts";
import type { TestCluster } from "./test_cluster.ts";

const podSecurity = {
  "pod-security.kubernetes.io/enforce": "restricted",
  "pod-security.kubernetes.io/enforce-version": "latest",
};

/** A namespace where pods have to satisfy the standard `restricted`. */
async function restrictedNamespace(cluster: TestCluster): Promise<string> {
  const name = await cluster.createNamespace();
  await cluster.admin.patch("Namespace", { name }, { metadata: { labels: podSecurity } });
  return name;
}

async function installMonitoringCrds({ admin }: TestCluster): Promise<void> {
  for (const file of (await findMonitoringCrds())!) {
    const crd = parse(await Deno.readTextFile(file));
    await admin.apply(crd);
    await admin.waitUntil(
      "CustomResourceDefinition",
      crd.metadata,
      (live) =>
        (live?.status?.conditions ?? []).some(({ type, status }) =>
          type === "Established" && status === "True"
        ),
    );
  }
}

/** What pods are made from; with the claims that the controller of StatefulSets adds. */
function podTemplates(rendered: readonly Rendered[]): PodTemplate[] {
  return rendered.filter(({ kind }) => ["Deployment", "StatefulSet", "Job"].includes(kind))
    .map(({ spec: { template: { metadata, spec }, volumeClaimTemplates = [] } }) => {
      const claims = (volumeClaimTemplates as Rendered[]).map(({ metadata: { name } }) => {
        return { name, persistentVolumeClaim: { claimName: `${name}-0` } };
      });
      return { metadata, spec: { ...spec, volumes: [...spec.volumes ?? [], ...claims] } };
    });
}

for (const file of valueFiles()) {
  const values = ["-f", `${chart}ci/${file}`];

  helmTest(`helm lint has nothing against ${file}`, async () => {
    const { code, stdout } = await helm("lint", "--strict", "--quiet", chart, ...values);
    assert.deepEqual([code, stdout.trim()], [0, ""]);
  });

  helmClusterTest(`the API server takes all that the chart makes: ${file}`, async (cluster) => {
    await installMonitoringCrds(cluster);
    const namespace = await restrictedNamespace(cluster);
    using api = new AnyKind(cluster.access);
    const rendered = await render(namespace, ...values);
    for (const object of rendered) {
      const { kind, metadata } = object;
      if (metadata.namespace !== undefined) {
        const { namespace: name } = metadata;
        await cluster.admin.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
      }
      const taken = await api.apply(object, true);
      assert.equal(taken.metadata.name, metadata.name, kind);
    }
    for (const template of podTemplates(rendered)) await api.createPod(namespace, template);
  });

  helmTest(`the program knows every argument that the chart gives it: ${file}`, async () => {
    const rendered = await render("x402-system", ...values);
    const workload = rendered.find(({ kind }) => /^(Deployment|StatefulSet)$/.test(kind))!;
    const [command, ...args] = workload.spec.template.spec.containers[0].args as string[];
    assert.equal(command, "run");
    let given: Record<string, unknown> = {};
    const program = runCommand().exitOverride().action((flags) => void (given = flags));
    // A file of the pod is none of this machine.
    program.parse(args.filter((arg) => !arg.startsWith("--upstream-ca-file")), { from: "user" });
    assert.equal(given.operatorService, only(rendered, "Service").metadata.name);
  });
}

helmClusterTest("the API server would refuse pods that are less restricted", async (cluster) => {
  const namespace = await restrictedNamespace(cluster);
  using api = new AnyKind(cluster.access);
  const lessRestricted: readonly [value: string, complaint: RegExp][] = [
    ["podSecurityContext.runAsNonRoot=false", /runAsNonRoot/],
    ["podSecurityContext.seccompProfile=null", /seccompProfile/],
    ["securityContext.allowPrivilegeEscalation=true", /allowPrivilegeEscalation/],
    ["securityContext.capabilities=null", /unrestricted capabilities/],
    ["podSecurityContext.runAsUser=0", /runAsUser=0/],
  ];
  for (const [value, complaint] of lessRestricted) {
    const templates = podTemplates(await render(namespace, "--set-json", value));
    assert.equal(templates.length, 2);
    for (const template of templates) {
      await assert.rejects(api.createPod(namespace, template), (error: Error) => {
        assert.match(error.message, /403 .*violates PodSecurity "restricted:latest"/);
        return complaint.test(error.message);
      }, value);
    }
  }
});

helmClusterTest("the API server would refuse a field that it does not know", async (cluster) => {
  using api = new AnyKind(cluster.access);
  const service = only(await render(await cluster.createNamespace()), "Service");
  const wrong = { ...service, spec: { ...service.spec, selectors: {} } };
  await assert.rejects(api.apply(wrong, true), /spec\.selectors: field not declared in schema/);
});
