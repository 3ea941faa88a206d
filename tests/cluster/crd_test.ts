/** What the real API server makes of the generated CRD. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { crossFieldRules } from "../../crd/cross_field_rules.ts";
import { parseX402Route } from "../../crd/x402route.ts";
import type { Manifest } from "./kube_admin.ts";
import { installCrd } from "./install_crd.ts";
import { clusterTest } from "./test_cluster.ts";

const root = new URL("../..", import.meta.url).pathname;

/** The files that users start from; the last two hold the manifests of the original's README. */
const userFiles = [
  "deploy/samples/ingress.yaml",
  "deploy/samples/service.yaml",
  "deploy/samples/x402route.yaml",
  "tests/plan_cases/original_quick_start/input.yaml",
  "tests/plan_cases/original_conditional/input.yaml",
];

clusterTest("the CRD is accepted, with strict field validation", async ({ admin }) => {
  await installCrd(admin);
});

for (const file of userFiles) {
  clusterTest(`${file} is accepted, and stored as it is parsed`, async (cluster) => {
    const namespace = await cluster.createNamespace();
    const text = await Deno.readTextFile(join(root, file));
    await cluster.admin.applyYaml(text, namespace);
    for (const stored of await cluster.admin.list("X402Route", { namespace })) {
      const written = parseAllDocuments(text).map((it) => it.toJS()).find(({ kind }) =>
        kind === "X402Route"
      );
      const parsed = parseX402Route(written);
      assert.ok(parsed.ok);
      assert.deepEqual(stored.spec, parsed.route.spec);
    }
  });
}

/** A manifest that is right, with `change` made to it. */
function x402Route(namespace: string, change: (spec: Spec) => void): Manifest & { spec: Spec } {
  const spec: Spec = {
    ingressRef: { name: "weather" },
    payment: { wallet: "0x1f6004907Adc7d313768b85917e069e011150390", network: "base" },
    routes: [{ path: "/api/*" }],
  };
  change(spec);
  const metadata = { namespace, name: "refused" };
  return { apiVersion: "x402.io/v1alpha1", kind: "X402Route", metadata, spec };
}

interface Spec {
  readonly ingressRef: Record<string, unknown>;
  readonly payment: Record<string, unknown>;
  readonly routes: [Record<string, unknown>, ...Record<string, unknown>[]];
}

const address = "0x036CbD53842c5426634e7929541eC2318f3dCF7e";
const port = (value: object) => ({ service: { name: "api", port: value } });

const refusals: [name: string, change: (spec: Spec) => void, message: string | RegExp][] = [
  [
    "mode conditional without conditions",
    ({ routes: [rule] }) => rule.mode = "conditional",
    crossFieldRules.conditionalNeedsConditions.message,
  ],
  [
    "mode conditional with an empty list of conditions",
    ({ routes: [rule] }) => Object.assign(rule, { mode: "conditional", conditions: [] }),
    crossFieldRules.conditionalNeedsConditions.message,
  ],
  [
    "an asset with half a domain",
    ({ payment }) => payment.asset = { address, name: "USDC" },
    crossFieldRules.assetDomainIsWhole.message,
  ],
  [
    "a port with both number and name",
    ({ routes: [rule] }) => rule.backend = port({ number: 80, name: "http" }),
    crossFieldRules.portIsNumberOrName.message,
  ],
  [
    "a port with neither number nor name",
    ({ routes: [rule] }) => rule.backend = port({}),
    crossFieldRules.portIsNumberOrName.message,
  ],
  [
    "mode Manual with a rule that has no backend",
    ({ ingressRef, routes: [rule, ...rest] }) => {
      ingressRef.mode = "Manual";
      rule.backend = port({ number: 80 });
      rest.push({ path: "/" });
      Object.assign(rule, { backend: undefined });
    },
    crossFieldRules.manualNeedsBackends.message,
  ],
  ["an unknown field", ({ payment }) => payment.walet = "0x", /unknown field "spec.payment.walet"/],
  ["no wallet", ({ payment }) => delete payment.wallet, /spec.payment.wallet: Required value/],
  ["an unknown mode", ({ ingressRef }) => ingressRef.mode = "Magic", /"Patch", "Manual"/],
  ["a price of words", ({ payment }) => payment.defaultPrice = "free", /spec.payment.defaultPrice/],
];

for (const [name, change, message] of refusals) {
  clusterTest(`refused by the API server as by the parser: ${name}`, async (cluster) => {
    const namespace = await cluster.createNamespace();
    const manifest = x402Route(namespace, change);
    assert.equal(parseX402Route(manifest).ok, false);
    await assert.rejects(cluster.admin.create(manifest), ({ status, message: told }) => {
      assert.ok([400, 422].includes(status), `the status is ${status}`);
      if (typeof message === "string") assert.ok(told.includes(message), told);
      else assert.match(told, message);
      return true;
    });
  });
}

clusterTest("a manifest with nothing wrong is not refused", async (cluster) => {
  const manifest = x402Route(await cluster.createNamespace(), () => {});
  assert.equal(parseX402Route(manifest).ok, true);
  await cluster.admin.create(manifest);
});
