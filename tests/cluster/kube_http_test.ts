import assert from "node:assert/strict";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { clusterTest } from "./test_cluster.ts";

/** Collects garbage, what the current task has used included. */
async function collectGarbage(): Promise<void> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc");
  for (let round = 0; round < 2; round++) {
    await new Promise((resolve) => setTimeout(resolve));
    collect();
  }
}

clusterTest("an abort ends a watch, after garbage collection too", async (cluster) => {
  const { admin } = cluster;
  const namespace = await cluster.createNamespace();
  const metadata = { namespace, name: "a" };
  await admin.create({ apiVersion: "v1", kind: "ConfigMap", metadata });
  const abort = new AbortController();
  const changed = Promise.withResolvers<void>();
  const ended = (async () => {
    let listed = false;
    for await (const _ of admin.observe("ConfigMap", { namespace }, abort.signal)) {
      if (listed) changed.resolve();
      else await admin.patch("ConfigMap", metadata, { data: { a: "1" } });
      listed = true;
    }
  })();
  await changed.promise;
  await collectGarbage();
  abort.abort();
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error("The watch goes on.")), 5_000);
  await assert.rejects(Promise.race([ended, late.promise]), { name: "AbortError" });
  clearTimeout(timer);
});
