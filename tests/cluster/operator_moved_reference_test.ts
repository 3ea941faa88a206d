/** `ingressRef` names another Ingress. */
import { postsCost, throughGateway } from "./operator_manifests.ts";
import { Scenario } from "./operator_scenario.ts";
import { clusterTest } from "./test_cluster.ts";

for (const down of [false, true]) {
  const when = down ? "while the operator is down" : "while the operator runs";
  clusterTest(`an X402Route moves from one Ingress to another ${when}`, async (cluster) => {
    await using scenario = await Scenario.start(cluster);
    const rules = [postsCost("/api/**"), postsCost("/docs/**")];
    await scenario.applyIngress("web", { "/api": "api" });
    await scenario.applyIngress("other", { "/docs": "site" });
    await scenario.applyRoute("prices", { ingressRef: { name: "web" }, rules });
    await scenario.untilReady("prices");
    await scenario.untilBackends("web", { "/api": throughGateway });

    if (down) await scenario.operator.stop();
    await scenario.applyRoute("prices", { ingressRef: { name: "other" }, rules });
    if (down) await scenario.startOperator();
    await scenario.untilBackends("web", { "/api": "api" });
    await scenario.untilBackends("other", { "/docs": throughGateway });
    await scenario.untilReady("prices");
    await scenario.untilLook("/docs", "site 402");

    await scenario.delete("X402Route", "prices");
    await scenario.untilBackends("other", { "/docs": "site" });
    await scenario.untilGone("X402Route", "prices");
  });
}
