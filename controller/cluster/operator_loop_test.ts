import assert from "node:assert/strict";
import { FacilitatorSupport } from "../../store/facilitator_support.ts";
import { OperatorLoop } from "./operator_loop.ts";
import { list, ScriptedApiServer, silent } from "./scripted_api_server.ts";

/** An operator in an empty cluster, where nothing but `facilitators` ever changes. */
function startLoop(client: ScriptedApiServer["client"]) {
  const stop = new AbortController();
  const facilitators = new FacilitatorSupport();
  let published = 0;
  let wake = () => {};
  const loop = new OperatorLoop({
    client,
    facilitators,
    settings: {
      plan: {
        allowExternalName: false,
        allowedFacilitatorHosts: [],
        clusterDomain: "cluster.local",
        gateway: {
          own: { namespace: "x402", name: "x402-k8s-operator" },
          ...{ serviceName: "x402-gateway", port: 8402, way: "endpoint-slices" },
        },
      },
      watchNamespaces: [],
      drainRoutesMs: 1_000,
      identity: "test",
    },
    publish: () => (published++, wake()),
    report: () => {},
    terminating: stop.signal,
    signal: stop.signal,
  });
  const running = loop.run();
  return {
    facilitators,
    published: () => published,
    async until(count: number): Promise<void> {
      while (published < count) {
        await new Promise<void>((resolve, reject) => {
          const tooLate = setTimeout(reject, 5_000, new Error(`published ${published} times`));
          wake = () => (clearTimeout(tooLate), resolve());
        });
      }
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}

Deno.test("what facilitators say is news by itself, and a burst of it is one plan", async () => {
  await using server = new ScriptedApiServer([
    ({ query }) => query.has("watch") ? silent() : list(1, []),
  ]);
  await using loop = startLoop(server.client);
  await loop.until(1);
  loop.facilitators.set("https://a.example", []);
  loop.facilitators.set("https://b.example", []);
  await loop.until(2);
  loop.facilitators.set("https://a.example", []);
  loop.facilitators.keep(new Set());
  await loop.until(3);
  assert.equal(loop.published(), 3);
});
