import assert from "node:assert/strict";
import { join } from "node:path";
import { parse } from "yaml";
import type { PlanPreview } from "../controller/mod.ts";
import { runCommand } from "../tests/support/run_command.ts";

const samples = new URL("../deploy/samples/", import.meta.url).pathname;
const allow = ["--allow-external-name", "--allow-facilitator-host", "localhost"];

Deno.test("plan: the samples as text", async () => {
  const { code, stdout, stderr } = await runCommand(["plan", "-f", samples, ...allow]);
  assert.equal(code, 0, stderr);
  assert.equal(
    stdout.split("\n\nX402Route")[0],
    `Ingress default/weather
  (every host)/  (Prefix)  through the gateway to weather-api:http
      /api/*                                                   0.001 USDC          default/weather-payments
      /stream                                                  0.005 USDC          default/weather-payments
      /articles/**                                             0.01 USDC or free:  default/weather-payments
        user-agent: (?i)(bot|crawler|claude|openai|anthropic)  0.01 USDC
        otherwise                                              free
      /health                                                  free                default/weather-payments
      /docs/**                                                 free                default/weather-payments
      everything else                                          free`,
  );
  assert.match(stdout, /5 rules, in force: as written, paid in USDC on eip155:84532 to 0x3C44/);
  assert.match(stdout, /x402route.yaml:21: warning: .*exactly one segment/);
});

Deno.test("plan: json and yaml say the same", async () => {
  const args = ["plan", "-f", samples, ...allow, "-o"];
  const json = JSON.parse((await runCommand([...args, "json"])).stdout);
  const yaml = parse((await runCommand([...args, "yaml"])).stdout);
  assert.deepEqual(yaml, json);
  const { ingresses, routes, writes, diagnostics } = json as PlanPreview & {
    diagnostics: readonly { severity: string }[];
  };
  assert.equal(writes, undefined, "no cluster was looked at");
  assert.deepEqual(diagnostics.map(({ severity }) => severity), ["warning"]);
  const conditions = routes[0]!.conditions.map(({ type, status }) => `${type} ${status}`);
  assert.deepEqual(conditions, [
    "Accepted True",
    "ResolvedRefs True",
    "IngressPatched True",
    "Ready True",
  ]);
  const [path] = ingresses[0]!.paths;
  const { rules, ...rest } = path!;
  assert.deepEqual(rest, {
    host: "",
    path: "/",
    pathType: "Prefix",
    backend: "weather-api:http",
    then: "gateway",
    hasFreeRest: true,
  });
  assert.deepEqual(rules[1], {
    pattern: "/stream",
    route: "default/weather-payments",
    access: "paid",
    price: "0.005",
    token: "USDC",
    network: "eip155:84532",
    payTo: "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
  });
});

const shop = `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: shop }
spec:
  rules:
    - host: shop.example.com
      http:
        paths:
          - { path: /api, pathType: Prefix, backend: { service: { name: api, port: { number: 80 } } } }
          - { path: /static, pathType: Prefix, backend: { service: { name: web, port: { number: 80 } } } }
---
apiVersion: x402.io/v1alpha1
kind: X402Route
metadata: { name: api }
spec:
  ingressRef: { name: shop }
  payment:
    wallet: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
    network: base
    facilitatorURL: https://facilitator.example.com
    defaultPrice: "0.001"
  routes:
    - { path: /api/v1/**, methods: [POST], price: "0.1" }
    - { path: /api/** }
    - { path: /api/never/** }
`;

Deno.test("plan: only the paths that could cost something, and only the rules that decide", async () => {
  const { code, stdout } = await runCommand(["plan", "-f", "-"], { stdin: shop });
  assert.equal(code, 0);
  assert.equal(
    stdout.split("\n\n")[0],
    `Ingress default/shop
  shop.example.com/api  (Prefix)  through the gateway to api:80
      POST /api/v1/**  0.1 USDC    default/api
      /api/**          0.001 USDC  default/api
  shop.example.com/static  (Prefix)  straight to web:80`,
  );
  assert.match(stdout, /warning: .*\/api\/never\/\*\*\) is never reached/);
  assert.match(
    stdout,
    /note: Ingress default\/shop: Service default\/api is not among these files/,
  );
});

Deno.test("plan: an invalid manifest ends with exit code 1, and is told", async () => {
  const stdin = shop.replace("0x70997970C51812dc3A010C7d01b50e0d17dc79C8", "0x...");
  const { code, stdout } = await runCommand(["plan", "-f", "-"], { stdin });
  assert.equal(code, 1);
  assert.match(stdout, /^\(standard input\):\d+: error: X402Route default\/api: .*placeholder/m);
  assert.match(stdout, /shop.example.com\/api {2}\(Prefix\) {2}straight to api:80/);
});

Deno.test("plan: without anything that costs", async () => {
  const stdin = "apiVersion: v1\nkind: Service\nmetadata: { name: a }\nspec: {}\n";
  const { code, stdout } = await runCommand(["plan", "-f", "-"], { stdin });
  assert.deepEqual([code, stdout], [0, "Nothing is charged for.\n"]);
});

/** A PATH with these programs (shell scripts) and no others. */
async function withPrograms(programs: Record<string, string>, args: readonly string[]) {
  const folder = await Deno.makeTempDir({ prefix: "plan-path-" });
  try {
    for (const [name, script] of Object.entries(programs)) {
      await Deno.writeTextFile(join(folder, name), `#!/bin/sh\n${script}`, { mode: 0o755 });
    }
    return await runCommand(args, { env: { PATH: folder } });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const build = `[ "$*" = "$EXPECTED" ] || exit 9\necho '${JSON.stringify(shopRoute())}'`;

function shopRoute() {
  const { metadata, spec, ...rest } = parse(shop.split("---\n")[1]!);
  return { ...rest, metadata: { ...metadata, name: "kustomized" }, spec };
}

for (
  const [name, program, expected] of [
    ["kubectl", "kubectl", "kustomize overlays/live"],
    ["kustomize, where there is no kubectl", "kustomize", "build overlays/live"],
  ] as const
) {
  Deno.test(`plan -k: ${name}`, async () => {
    const programs = { [program]: build.replace("$EXPECTED", expected) };
    const { code, stdout, stderr } = await withPrograms(programs, ["plan", "-k", "overlays/live"]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /X402Route default\/kustomized/);
  });
}

Deno.test("plan -k: what kustomize says when it fails", async () => {
  const programs = { kubectl: "echo 'no kustomization.yaml' >&2; exit 1" };
  const { code, stdout, stderr } = await withPrograms(programs, ["plan", "-k", "here"]);
  assert.deepEqual([code, stdout], [1, ""]);
  assert.equal(stderr, "error: kubectl kustomize here failed: no kustomization.yaml\n");
});

Deno.test("plan -k: neither program is there", async () => {
  const { code, stderr } = await withPrograms({}, ["plan", "-k", "here"]);
  assert.equal(code, 1);
  assert.match(stderr, /^error: neither kubectl nor kustomize can be started for -k here;/);
});
