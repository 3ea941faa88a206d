/**
 * `deno task bench:cluster [--json] [--shops N]`: the operator with 1,000 X402Routes on 1,000
 * Ingresses of a real API server. Speed is printed, never asserted.
 */
import { parseArgs } from "node:util";
import { bundle } from "../../build/bundle.ts";
import { startApiServer } from "../cluster/api_server.ts";
import { installCrd } from "../cluster/install_crd.ts";
import { freePorts } from "../cluster/free_port.ts";
import { startOperator } from "../cluster/operator_process.ts";
import { TestCluster } from "../cluster/test_cluster.ts";
import { sourceCommand } from "../rig/gateway_process.ts";
import {
  type Bench,
  coldStart,
  deleteAll,
  openShops,
  priceChanges,
  reapplications,
  restingRss,
  steadyState,
} from "./cluster_measures.ts";
import { type ClusterMeasure, renderMeasure } from "./cluster_report.ts";
import { createSurroundings, operatorNamespace, shopsOf } from "./cluster_shops.ts";
import { ClusterWatch } from "./cluster_watch.ts";

/** One after the other, on one API server. */
async function run(shopCount: number, print: (measure: ClusterMeasure) => Promise<void>) {
  await using backend = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => new Response("ok"),
  );
  await using server = await startApiServer();
  await using cluster = new TestCluster(server);
  const { admin } = cluster;
  await installCrd(admin);
  await createSurroundings(admin, backend.addr.port);
  const shops = shopsOf(shopCount);
  await openShops(admin, shops);
  await using routes = await ClusterWatch.start(admin, "X402Route");
  await using ingresses = await ClusterWatch.start(admin, "Ingress");
  const bench: Bench = { admin, shops, routes, ingresses };
  const listen = `127.0.0.1:${freePorts(1)}`;
  const start = (command = sourceCommand) =>
    startOperator(cluster, {
      command,
      listen,
      namespace: operatorNamespace,
      flags: ["--allow-external-name", "--log-level", "info"],
    });
  {
    await using operator = await start();
    await print({ kind: "cold start", shops: shopCount, ...await coldStart(bench, operator) });
    await operator.stop();
  }
  {
    await using operator = await start();
    const restart = await coldStart(bench, operator);
    await print({ kind: "cold start, all patched", shops: shopCount, ...restart });
    await print({ kind: "steady state", ...await steadyState(operator, 30) });
    await print({ kind: "changed price", ...await priceChanges(bench, operator, 150) });
    await print({ kind: "original applied again", ...await reapplications(bench, 30) });
    await print({ kind: "all deleted", seconds: await deleteAll(bench) });
    await operator.stop();
  }
  const few = { ...bench, shops: shops.slice(0, 100) };
  for (const { namespace } of shops.slice(0, 10)) await admin.deleteAll("Ingress", namespace);
  await openShops(admin, few.shops);
  const asBundle = [Deno.execPath(), "run", "--no-config", "--unstable-net", "-A", await bundle()];
  for (const [program, command] of Object.entries({ source: sourceCommand, bundle: asBundle })) {
    await using operator = await start(command);
    const mib = await restingRss(few, operator, 20);
    await print({ kind: "memory at rest", program, routes: few.shops.length, rssMiB: mib });
  }
}

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    shops: { type: "string", default: "1000" },
  },
});
const encoder = new TextEncoder();
try {
  await run(Number(values.shops), async (measure) => {
    const text = values.json ? JSON.stringify(measure) : renderMeasure(measure);
    await Deno.stdout.write(encoder.encode(`${text}\n`));
  });
  Deno.exit(0);
} catch (error) {
  // Probes of a measure that failed half-way would keep the process going.
  await Deno.stderr.write(encoder.encode(`The benchmark failed: ${(error as Error).message}\n`));
  Deno.exit(1);
}
