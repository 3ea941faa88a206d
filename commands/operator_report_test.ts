import assert from "node:assert/strict";
import { Logger } from "../store/log.ts";
import { Metrics } from "../store/metrics.ts";
import { operatorReporter } from "./operator_report.ts";

const routes = "/apis/x402.io/v1alpha1/x402routes";

function setUp() {
  const messages: string[] = [];
  const metrics = new Metrics();
  const log = new Logger("info", (line) => messages.push(JSON.parse(line).msg));
  const report = operatorReporter(log, metrics);
  const lose = (path: string, answer: string) => {
    report({ type: "watch-lost", path, reason: `GET ${path}: ${answer}`, retryMs: 100 });
    return messages.pop();
  };
  const scrape = async (name: string) => {
    const lines = (await metrics.registry.metrics()).split("\n");
    return lines.filter((line) => new RegExp(`^${name}[ {]`).test(line));
  };
  return { report, lose, messages, scrape };
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

const published = {
  type: "snapshot-published",
  ingresses: 1,
  routes: 1,
  rules: 1,
  ms: 1,
  conditions: [{ condition: "Ready", status: "False", reason: "Invalid", routes: 2 }],
} as const;

Deno.test("once there are routes, they stay in force", () => {
  const { report, lose } = setUp();
  report(published);
  assert.equal(lose(routes, "404 gone"), "watch lost, the last known routes stay in force");
});

Deno.test("new routes in force are news when there are more or fewer of them", () => {
  const { report, messages } = setUp();
  report(published);
  report({ ...published, ms: 7 });
  report({ ...published, rules: 2 });
  assert.deepEqual(messages, ["routes in force", "routes in force"]);
});

Deno.test("what was put in force last, and whether the last plan was, can be scraped", async () => {
  const { report, scrape } = setUp();
  const timestamp = "x402_snapshot_published_timestamp_seconds";
  const successful = "x402_snapshot_last_plan_successful";
  assert.deepEqual(await scrape(timestamp), [], "nothing yet");
  assert.deepEqual(await scrape(successful), []);
  const before = Date.now() / 1000;
  report(published);
  const [line] = await scrape(timestamp);
  const at = Number(line!.split(" ")[1]);
  assert.ok(at >= before && at <= Date.now() / 1000, `${at}`);
  assert.deepEqual(await scrape(successful), [`${successful} 1`]);
  assert.deepEqual(await scrape("x402_route_conditions"), [
    'x402_route_conditions{condition="Ready",status="False",reason="Invalid"} 2',
  ]);
  report({ type: "publish-failed", reason: "a fault" });
  assert.deepEqual(await scrape(successful), [`${successful} 0`]);
  assert.deepEqual(await scrape(timestamp), [line], "still in force");
});

Deno.test("paths that somebody put back are counted, and no news each time", async () => {
  const { report, scrape, messages } = setUp();
  report({ type: "ingress-reverted", ingress: "shop/web", paths: 2 });
  report({ type: "ingress-reverted", ingress: "shop/web", paths: 1 });
  assert.deepEqual(await scrape("x402_ingress_reverts_total"), ["x402_ingress_reverts_total 3"]);
  assert.deepEqual(messages, []);
});
