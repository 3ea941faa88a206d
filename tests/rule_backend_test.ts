/** A rule with a backend of its own, as where the Ingress path names the gateway itself. */
import assert from "node:assert/strict";
import { startPaidApi } from "./rig/paid_api.ts";
import { signPayment, usdcRequirements } from "./rig/sign_payment.ts";
import type { Backend, RouteSnapshot, Rule } from "../store/route_snapshot.ts";
import { startScriptedFacilitator } from "./support/scripted_facilitator.ts";
import { rule, startTestGateway, usdcTerms } from "./support/test_gateway.ts";

const itself: Backend = { unresolved: "the Ingress path names the gateway" };

function snapshot(ofIngress: Backend, rules: readonly Rule[]): RouteSnapshot {
  return {
    ingresses: [{ namespace: "shop", name: "web", tlsHosts: [], rules }],
    hosts: [{
      host: "",
      paths: [{ path: "/", pathType: "Prefix", ingress: 0, backend: ofIngress }],
    }],
  };
}

function setUp(ofRules: Backend | "api", ofIngress = itself) {
  const api = startPaidApi();
  const facilitator = startScriptedFacilitator();
  const terms = usdcTerms(facilitator.url);
  const paid = { kind: "paid", terms } as const;
  const conditions = [{ header: "x-team", pattern: "^us$", action: "free" }] as const;
  const backend = ofRules === "api" ? { url: api.url } : ofRules;
  const rules = [
    rule("/free", { kind: "free" }),
    rule("/paid", paid),
    rule("/conditional", { ...paid, conditions, conditionDefault: "pay" }),
    rule("/socket", { kind: "free" }),
  ].map((each) => ({ ...each, backend }));
  const gateway = startTestGateway(snapshot(ofIngress, rules));
  return {
    api,
    gateway,
    async payment(): Promise<[string, string]> {
      const requirements = usdcRequirements(2, terms.amount, terms.payTo);
      return (await signPayment({ version: 2, buyer: 1, requirements })).header;
    },
    async status(path: string, init: RequestInit = {}): Promise<number> {
      const reply = await fetch(gateway.url + path, init);
      await reply.body?.cancel();
      return reply.status;
    },
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await facilitator[Symbol.asyncDispose]();
      await api[Symbol.asyncDispose]();
    },
  };
}

Deno.test("free, conditional, paid and preflight requests go to the backend of their rule", async () => {
  await using bed = setUp("api");
  const preflight = { origin: "http://a.test", "access-control-request-method": "GET" };
  const requests: [path: string, init: RequestInit][] = [
    ["/free", {}],
    ["/conditional", { headers: { "x-team": "us" } }],
    ["/paid", { headers: [await bed.payment()] }],
    ["/paid", { method: "OPTIONS", headers: preflight }],
  ];
  for (const [path, init] of requests) assert.equal(await bed.status(path, init), 200, path);
  const received = bed.api.received.map(({ method, target }) => `${method} ${target}`);
  assert.deepEqual(received, ["GET /free", "GET /conditional", "GET /paid", "OPTIONS /paid"]);
});

Deno.test("a WebSocket is opened with the backend of its rule", async () => {
  await using bed = setUp("api");
  const socket = new WebSocket(bed.gateway.url.replace("http", "ws") + "/socket");
  const echoed = Promise.withResolvers<string>();
  const closed = Promise.withResolvers<void>();
  socket.onopen = () => socket.send("hello");
  socket.onmessage = ({ data }) => echoed.resolve(data);
  socket.onclose = () => closed.resolve();
  socket.onerror = (event) => echoed.reject(event);
  assert.equal(await echoed.promise, "hello");
  socket.close();
  await closed.promise;
});

Deno.test("requests that no rule matches go to the backend of the Ingress path", async () => {
  await using bed = setUp("api");
  assert.equal(await bed.status("/other"), 503, "which names the gateway here");
});

Deno.test("a rule whose backend is not there offers nothing for sale", async () => {
  await using working = startPaidApi();
  await using bed = setUp({ unresolved: "no such Service" }, { url: working.url });
  assert.equal(await bed.status("/paid"), 503);
  assert.equal(await bed.status("/free"), 503);
  assert.equal(await bed.status("/other"), 200);
  assert.deepEqual(working.received.map(({ target }) => target), ["/other"]);
});

Deno.test("two readings with different backends: prices alone decide, the first reading is sent", async () => {
  await using first = startPaidApi();
  await using second = startPaidApi();
  const paid = { kind: "paid", terms: usdcTerms("http://127.0.0.1:1") } as const;
  const rules = [
    { ...rule("/a/**", { kind: "free" }), backend: { url: first.url } },
    { ...rule("/b/**", { kind: "free" }), backend: { url: second.url } },
    { ...rule("/c/**", paid), backend: { url: second.url } },
  ];
  await using gateway = startTestGateway(snapshot(itself, rules));
  const statuses: [path: string, status: number][] = [
    ["/a/..%2Fb", 200],
    ["/a/..%2Fc", 400],
    ["/c/..%2Fa", 402],
  ];
  for (const [path, status] of statuses) {
    const reply = await fetch(gateway.url + path);
    await reply.body?.cancel();
    assert.equal(reply.status, status, path);
  }
  assert.deepEqual(first.received.map(({ target }) => target), ["/a/..%2Fb"]);
  assert.equal(second.received.length, 0);
});
