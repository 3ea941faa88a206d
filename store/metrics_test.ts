import assert from "node:assert/strict";
import { Metrics } from "./metrics.ts";

Deno.test("the metrics of a cluster are exposed when they are used, not in standalone mode", async () => {
  const metrics = new Metrics();
  assert.doesNotMatch(await metrics.registry.metrics(), /x402_leader/);
  assert.equal(metrics.cluster, metrics.cluster, "registered once");
  assert.match(await metrics.registry.metrics(), /^x402_leader 0$/m);
});

Deno.test("each metric of a cluster has its name and labels", async () => {
  const metrics = new Metrics();
  const { cluster } = metrics;
  cluster.leader.set(1);
  cluster.watchRestarts.inc({ resource: "ingresses" });
  cluster.kubeRequests.inc({ verb: "list", resource: "services", code: "200" });
  cluster.writes.inc({ resource: "ingresses", verb: "patch", outcome: "conflict" });
  cluster.reverts.inc();
  const lines = (await metrics.registry.metrics()).split("\n");
  for (
    const line of [
      "x402_leader 1",
      'x402_watch_restarts_total{resource="ingresses"} 1',
      'x402_kube_requests_total{verb="list",resource="services",code="200"} 1',
      'x402_cluster_writes_total{resource="ingresses",verb="patch",outcome="conflict"} 1',
      'x402_watch_restarts_total{resource="services"} 0',
      "x402_ingress_reverts_total 1",
    ]
  ) assert.ok(lines.includes(line), line);
});

Deno.test("the staleness of the routes is asked for at each scrape", async () => {
  const metrics = new Metrics();
  const { cluster } = metrics;
  const scraped = async () =>
    /^x402_snapshot_staleness_seconds (.*)$/m.exec(await metrics.registry.metrics())?.[1];
  assert.equal(await scraped(), "0", "before anyone measures it");
  let seconds = 1.5;
  cluster.staleness = () => seconds;
  assert.equal(await scraped(), "1.5");
  seconds = 0;
  assert.equal(await scraped(), "0");
});
