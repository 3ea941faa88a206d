/** An X402Route that becomes invalid never opens its paths. */
import assert from "node:assert/strict";
import type { X402RouteSpec } from "../../crd/x402route.ts";
import { ingress, postsCost, throughGateway } from "./operator_manifests.ts";
import { inAllCases, Scenario } from "./operator_scenario.ts";
import { clusterTest } from "./test_cluster.ts";

interface Mistake {
  readonly what: string;
  readonly payment?: Partial<X402RouteSpec["payment"]>;
  readonly rule?: Partial<X402RouteSpec["routes"][number]>;
  /** What the status has to say. */
  readonly says: RegExp;
}

/** What the CRD cannot refuse. */
const mistakes: readonly Mistake[] = [
  {
    what: "a pattern that RE2 does not have",
    rule: {
      mode: "conditional",
      conditions: [{ header: "User-Agent", pattern: "(?=bot)", action: "pay" }],
    },
    says: /pattern/,
  },
  {
    what: "a facilitator in a private network",
    payment: { facilitatorURL: "https://10.0.0.1" },
    says: /facilitatorURL/,
  },
  {
    what: "a wallet with a wrong checksum",
    payment: { wallet: "0x1F6004907Adc7d313768b85917e069e011150390" },
    says: /wallet/,
  },
];

const free = { "/api": "api" };
const charged = { "/api": throughGateway };

clusterTest("a mistake never opens a paid path, nor does a restart", async (cluster) => {
  await using scenario = await Scenario.start(cluster);
  await using stack = new AsyncDisposableStack();
  const cases = await Promise.all(mistakes.map(async ({ rule, payment = {}, ...rest }) => {
    const user = stack.use(await scenario.neighbour());
    const invalid = { payment, rules: [{ ...postsCost("/api/**"), ...rule }] };
    return { ...rest, user, mistake: () => user.applyRoute("prices", invalid) };
  }));
  const right = (user: Scenario) => user.applyRoute("prices", { rules: [postsCost("/api/**")] });

  await inAllCases(cases, async ({ user }) => {
    await user.applyIngress("web", free);
    await right(user);
    await user.untilReady("prices");
  });

  await inAllCases(cases, async ({ user, mistake, says }) => {
    await mistake();
    const { status } = await user.untilCondition("prices", "Accepted", "Invalid");
    const messages = status!.conditions!.map(({ message }) => message).join();
    assert.match(messages, says);
    assert.match(messages, /last valid form is in force/);
    assert.equal(status!.ready, false);
    assert.equal(await user.look("/api/x"), "api 402");
    assert.deepEqual(await user.backends("web"), charged);
  });

  await scenario.operator.stop();
  await scenario.startOperator();
  await inAllCases(cases, async ({ user }) => {
    await user.untilLook("/api/x", "api 503");
    await user.admin.waitUntil(
      "X402Route",
      { namespace: user.namespace, name: "prices" },
      (it) => !!it?.status?.conditions?.some(({ message }) => /answer 503/.test(message)),
    );
    assert.deepEqual(await user.backends("web"), charged);
  });

  await inAllCases(cases, async ({ user }) => {
    await right(user);
    await user.untilReady("prices");
    await user.untilLook("/api/x", "api 402");
  });
});

clusterTest("a new X402Route that is invalid leaves its Ingress alone", async (cluster) => {
  await using scenario = await Scenario.start(cluster);
  await using stack = new AsyncDisposableStack();
  const cases = await Promise.all(
    mistakes.map(async (mistake) => ({ ...mistake, user: stack.use(await scenario.neighbour()) })),
  );
  await inAllCases(cases, async ({ user, payment = {}, rule, says }) => {
    const { admin, namespace, host } = user;
    const before = await user.applyIngress("web", free);
    await user.applyRoute("prices", { payment, rules: [{ ...postsCost("/api/**"), ...rule }] });
    const route = await user.untilCondition("prices", "Ready", "Invalid");
    const accepted = route.status!.conditions!.find(({ type }) => type === "Accepted");
    assert.match(accepted!.message, says);
    await user.untilCondition("prices", "IngressPatched", "NotApplied");
    const live = await admin.get("Ingress", { namespace, name: "web" });
    assert.deepEqual(live.spec, ingress(namespace, "web", { [host]: free }).spec);
    assert.equal(live.metadata.resourceVersion, before.metadata.resourceVersion);
    assert.equal(route.metadata.finalizers, undefined);
  });
});
