/** Routes that were removed a moment ago: served where nothing else is, at the price they had. */
import assert from "node:assert/strict";
import { startPaidApi } from "./rig/paid_api.ts";
import type { RouteSnapshot, RouteTables } from "../store/route_snapshot.ts";
import { rule, startTestGateway, usdcTerms } from "./support/test_gateway.ts";

/** `fetch` sends a Host of the caller's choice only with this option, which the types do not name. */
const clientOptions: Deno.CreateHttpClientOptions & { allowHost: true } = { allowHost: true };

const paid = { kind: "paid", terms: usdcTerms("http://127.0.0.1:1") } as const;

/** Prefixes per host, all of one Ingress with one price, to one backend. */
function tables(backendUrl: string, price: string, prefixes: Record<string, string[]>) {
  const backend = { url: backendUrl };
  const entries = Object.entries(prefixes);
  return {
    ingresses: [{ namespace: "shop", name: "web", tlsHosts: [], rules: [rule(price, paid)] }],
    hosts: entries.map(([host, paths]) => ({
      host,
      paths: paths.map((path) => ({ path, pathType: "Prefix", ingress: 0, backend } as const)),
    })),
  } satisfies RouteTables;
}

function setUp() {
  const now = startPaidApi();
  const former = startPaidApi();
  const routes: RouteSnapshot = tables(now.url, "/paid/**", {
    "shop.test": ["/api", "/paid"],
    "*.wild.test": ["/api"],
  });
  const draining = tables(former.url, "/former/**", {
    "shop.test": ["/", "/api", "/former"],
    "gone.test": ["/"],
    "*.test": ["/"],
    "": ["/"],
  });
  const gateway = startTestGateway({ ...routes, fallback: draining });
  const client = Deno.createHttpClient(clientOptions);
  return {
    now,
    former,
    routes,
    gateway,
    async get(url: string): Promise<string> {
      const [, host, path] = /^([^/]*)(.*)$/.exec(url)!;
      const headers = { host: host! };
      const calls = [now.received.length, former.received.length];
      const reply = await fetch(gateway.url + path, { client, headers });
      await reply.body?.cancel();
      if (reply.status !== 200) return String(reply.status);
      return now.received.length > calls[0]! ? "now" : "former";
    },
    async [Symbol.asyncDispose]() {
      client.close();
      await gateway[Symbol.asyncDispose]();
      await now[Symbol.asyncDispose]();
      await former[Symbol.asyncDispose]();
    },
  };
}

const table: readonly [what: string, url: string, expected: string][] = [
  ["a path that there is wins", "shop.test/api/x", "now"],
  ["a path that is gone goes where it went", "shop.test/other", "former"],
  ["what was paid stays paid", "shop.test/former/x", "402"],
  ["a host that is gone goes where it went", "gone.test/x", "former"],
  ["a wildcard that is gone too", "unnamed.test/x", "former"],
  ["a host that is named is not served by a wildcard that is gone", "a.wild.test/x", "404"],
  ["double reading: free and gone, or paid and gone", "gone.test//former/x", "400"],
  ["double reading: free and gone, or paid and there", "shop.test//paid/x", "400"],
  ["double reading: free and there, or paid and gone", "shop.test/api/..%2Fformer", "400"],
  ["double reading: free in both ways", "shop.test//other", "former"],
];

for (const [what, url, expected] of table) {
  Deno.test(`draining: ${what}: ${url}`, async () => {
    await using bed = setUp();
    assert.equal(await bed.get(url), expected);
  });
}

Deno.test("draining ends with the snapshot that no longer has it", async () => {
  await using bed = setUp();
  assert.equal(await bed.get("gone.test/x"), "former");
  bed.gateway.gateway.publish(bed.routes);
  assert.equal(await bed.get("gone.test/x"), "404");
  assert.equal(await bed.get("shop.test/api"), "now");
});
