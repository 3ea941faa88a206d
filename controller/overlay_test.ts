import assert from "node:assert/strict";
import { type ClusterState, noObservations, type RawObject } from "./cluster_state.ts";
import { overlay } from "./overlay.ts";

function stateWith(routes: readonly RawObject[]): ClusterState {
  return {
    routes,
    ingresses: [],
    services: [],
    endpointSlices: [],
    ...noObservations,
  };
}

const metadata = { namespace: "shop", name: "api" };

Deno.test("overlay() keeps what the cluster adds, and takes the rest from the manifest", () => {
  const live = {
    metadata: {
      ...metadata,
      uid: "1",
      resourceVersion: "7",
      finalizers: ["x402.io/restore-ingress"],
      annotations: { "x402.io/original-backends": "{}", owner: "a" },
      labels: { tier: "web" },
    },
    spec: { routes: [1, 2], removed: true },
    status: { ready: true },
  };
  const manifest = {
    metadata: { ...metadata, annotations: { owner: "b" } },
    spec: { routes: [3] },
  };
  const { routes } = overlay(stateWith([live]), stateWith([manifest]));
  assert.deepEqual(routes, [{
    metadata: {
      ...live.metadata,
      annotations: { "x402.io/original-backends": "{}", owner: "b" },
    },
    spec: { routes: [3] },
    status: { ready: true },
  }]);
});

Deno.test("overlay() adds what is not there, and leaves the others as they are", () => {
  const other = { metadata: { namespace: "team", name: "api" } };
  const { routes } = overlay(stateWith([other]), stateWith([{ metadata }]));
  assert.deepEqual(routes, [other, { metadata }]);
});
