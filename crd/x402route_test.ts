import assert from "node:assert/strict";
import { parse } from "yaml";
import { parseX402Route, type X402Route } from "./x402route.ts";

/** The manifests that users of the original program have; they have to be accepted unchanged. */
const originalManifests: Record<string, string> = {
  "quick start": `
apiVersion: x402.io/v1alpha1
kind: X402Route
metadata:
  name: my-api-payments
spec:
  ingressRef:
    name: my-api-ingress
  payment:
    wallet: "0xYourWalletAddress"
    network: base-sepolia
    defaultPrice: "0.001"
  routes:
    - path: "/api/*"
      # inherits defaultPrice, all requests pay
    - path: "/health"
      free: true
    - path: "/docs/**"
      free: true
`,
  "per-path pricing with conditional mode": `
apiVersion: x402.io/v1alpha1
kind: X402Route
metadata:
  name: my-api
spec:
  ingressRef:
    name: my-ingress
  payment:
    wallet: "0x..."
    network: base-sepolia
    defaultPrice: "0.001"
  routes:
    - path: "/api/v1/*"
      # inherits defaultPrice, mode defaults to all-pay
    - path: "/api/v2/**"
      price: "0.01"
      mode: conditional
      conditions:
        - header: "X-Bot-Score"
          pattern: "^(bot|automated)$"
          action: pay
        - header: "User-Agent"
          pattern: "(?i)(claude|openai|anthropic)"
          action: pay
    - path: "/health"
      free: true
    - path: "/docs/**"
      free: true
`,
  "the production payment, in a whole manifest": `
apiVersion: x402.io/v1alpha1
kind: X402Route
metadata:
  name: my-api
spec:
  ingressRef:
    name: my-ingress
    namespace: shop
  payment:
    wallet: "0xYourProductionWallet"
    network: base
    defaultPrice: "0.01"
    facilitatorURL: http://facilitator.default.svc.cluster.local:8080
  routes:
    - path: "/"
      conditions: []
`,
};

for (const [name, manifest] of Object.entries(originalManifests)) {
  Deno.test(`parseX402Route accepts the original's manifest: ${name}`, () => {
    const parsed = parseX402Route(parse(manifest));
    assert.deepEqual(parsed.ok ? [] : parsed.problems, []);
  });
}

Deno.test("parseX402Route fills in the defaults", () => {
  const { spec } = accepted(parse(originalManifests["quick start"]!));
  assert.deepEqual(spec.payment, {
    wallet: "0xYourWalletAddress",
    network: "base-sepolia",
    defaultPrice: "0.001",
    facilitatorURL: "https://x402.org/facilitator",
    settle: "after-response",
    maxTimeoutSeconds: 60,
  });
  assert.deepEqual(spec.routes[0], { path: "/api/*", free: false, mode: "all-pay" });
});

Deno.test("parseX402Route keeps every optional field", () => {
  const spec = {
    ingressRef: { name: "api", namespace: "shop", mode: "Manual" },
    payment: {
      wallet: "0x1f6004907Adc7d313768b85917e069e011150390",
      network: "eip155:31337",
      defaultPrice: "$0.001",
      facilitatorURL: "https://facilitator.example",
      settle: "before-request",
      maxTimeoutSeconds: 10,
      asset: { address: `0x${"1".repeat(40)}`, name: "Coin", version: "1", decimals: 0 },
    },
    routes: [{
      path: "/**",
      methods: ["GET", "OPTIONS"],
      price: "1",
      free: false,
      mode: "conditional",
      conditions: [{ header: "User-Agent", pattern: "bot", action: "free" }],
      conditionDefault: "pay",
      description: "Weather",
      mimeType: "application/json",
      backend: { service: { name: "weather", port: { name: "http" } } },
    }],
  };
  assert.deepEqual(accepted(manifestWith(spec)).spec, spec);
});

Deno.test("parseX402Route ignores the status and keeps unknown metadata", () => {
  const manifest = {
    ...manifestWith({
      ingressRef: { name: "api" },
      payment: { wallet: "0x...", network: "base" },
      routes: [{ path: "/" }],
    }),
    metadata: { name: "api", creationTimestamp: null, managedFields: [{ manager: "kubectl" }] },
    status: { ready: "not even a boolean" },
  };
  const route = accepted(manifest);
  assert.deepEqual(Object.keys(route), ["apiVersion", "kind", "metadata", "spec"]);
  assert.deepEqual(route.metadata, manifest.metadata);
});

function manifestWith(spec: unknown) {
  return { apiVersion: "x402.io/v1alpha1", kind: "X402Route", metadata: { name: "api" }, spec };
}

function accepted(raw: unknown): X402Route {
  const parsed = parseX402Route(raw);
  assert(parsed.ok, parsed.ok ? "" : JSON.stringify(parsed.problems));
  return parsed.route;
}
