import assert from "node:assert/strict";
import { Logger } from "../store/log.ts";
import { Metrics } from "../store/metrics.ts";
import { operatorReporter } from "./operator_report.ts";

const routes = "/apis/x402.io/v1alpha1/x402routes";

function setUp() {
  const messages: string[] = [];
  const log = new Logger("info", (line) => messages.push(JSON.parse(line).msg));
  const report = operatorReporter(log, new Metrics());
  const lose = (path: string, answer: string) => {
    report({ type: "watch-lost", path, reason: `GET ${path}: ${answer}`, retryMs: 100 });
    return messages.pop();
  };
  return { report, lose };
}

for (
  const [name, path, answer, says] of [
    [
      "the CRD is not installed",
      routes,
      "404 404 page not found",
      "cannot list x402routes yet: is the CRD installed? (kubectl apply -f crd/x402route.yaml)",
    ],
    [
      "a permission is missing",
      "/apis/networking.k8s.io/v1/ingresses",
      "403 ingresses is forbidden",
      "cannot list ingresses yet: no permission to list and watch ingresses in all namespaces, " +
      "see deploy/rbac",
    ],
    [
      "a permission is missing in a namespace",
      "/api/v1/namespaces/shop/services",
      "403 services is forbidden",
      "cannot list services yet: no permission to list and watch services in namespace shop, " +
      "see deploy/rbac",
    ],
    [
      "the API server is away",
      routes,
      "connection refused",
      "cannot list x402routes yet, so there are no routes in force",
    ],
  ] as const
) {
  Deno.test(`before the first routes: ${name}`, () => {
    assert.equal(setUp().lose(path, answer), says);
  });
}

Deno.test("once there are routes, they stay in force", () => {
  const { report, lose } = setUp();
  report({ type: "snapshot-published", ingresses: 1, routes: 1, rules: 1, ms: 1 });
  assert.equal(lose(routes, "404 gone"), "watch lost, the last known routes stay in force");
});
