import assert from "node:assert/strict";
import { keyOf, type Service } from "../cluster_state.ts";
import { facilitatorService } from "./facilitator_service.ts";
import type { PlanOptions } from "./plan_options.ts";

const options: PlanOptions = {
  allowExternalName: false,
  allowedFacilitatorHosts: ["allowed.pay.svc:8080"],
  clusterDomain: "k8s.example",
  gateway: {
    own: { namespace: "x402", name: "x402-k8s-operator" },
    serviceName: "x402-gateway",
    port: 8402,
    way: "endpoint-slices",
  },
};

const service = (namespace: string, name: string, spec: Service["spec"]): Service => ({
  apiVersion: "v1",
  metadata: { namespace, name },
  spec,
});
const external = { type: "ExternalName", externalName: "facilitator.example.com" };
const services = new Map(
  [
    service("pay", "external", external),
    service("pay", "allowed", external),
    service("pay", "internal", { type: "ClusterIP" }),
    service("x402", "external", external),
    service("com", "example", external),
  ].map((each) => [keyOf(each.metadata), each]),
);

const refused = [
  ["http://external.pay.svc", "pay/external"],
  ["https://external.pay.svc:8443/x402", "pay/external"],
  ["http://EXTERNAL.pay.SVC", "pay/external"],
  ["http://external.pay.svc.", "pay/external"],
  ["http://external.pay.svc.k8s.example", "pay/external"],
  ["http://pod.external.pay.svc", "pay/external"],
  ["http://external", "x402/external"],
  ["http://allowed.pay.svc", "pay/allowed"],
] as const;

for (const [url, service] of refused) {
  Deno.test(`the facilitator ${url} is Service ${service}, of type ExternalName: refused`, () => {
    const [found, ...others] = facilitatorService(url, services, options);
    assert.deepEqual(others, []);
    assert.equal(found!.kind, "invalid");
    assert.deepEqual(found!.problem.path, ["spec", "payment", "facilitatorURL"]);
    assert.ok(found!.problem.message.includes(`Service ${service} is of type ExternalName`));
  });
}

const accepted = [
  "http://internal.pay.svc",
  "http://unknown.pay.svc",
  "http://allowed.pay.svc:8080",
  "https://example.com",
  "https://external.pay",
  "https://external.pay.svc.example.com",
  "not a URL",
];

for (const url of accepted) {
  Deno.test(`the facilitator ${url} is no Service that is refused`, () => {
    assert.deepEqual(facilitatorService(url, services, options), []);
  });
}

Deno.test("where ExternalName is allowed, it is for facilitators too", () => {
  const allowing = { ...options, allowExternalName: true };
  assert.deepEqual(facilitatorService("http://external.pay.svc", services, allowing), []);
});

Deno.test("without a namespace of the gateway's own, a name without one is not known", () => {
  const { gateway: _, ...standalone } = options;
  assert.deepEqual(facilitatorService("http://external", services, standalone), []);
});
