import assert from "node:assert/strict";
import { ChildProcess } from "../rig/child_process.ts";
import type { LoadPlan, LoadResult } from "./load_plan.ts";
import { denoCommand } from "./servers.ts";

/** Loads a server that answers with `status`, and returns the generator's exit code and output. */
async function load(status: number, changes: Partial<LoadPlan>, onRequest = (_: Request) => {}) {
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    onRequest(request);
    // Longer than a head's buffer: head and body arrive in separate reads.
    return new Response("x".repeat(4000), { status });
  });
  const plan: LoadPlan = {
    port: server.addr.port,
    path: "/",
    connections: 4,
    seconds: 20,
    maxRequests: 101,
    expectedStatus: 200,
    ...changes,
  };
  const child = new ChildProcess("load", denoCommand("load_generator.ts", JSON.stringify(plan)));
  return { exitCode: await child.ended, output: child.lines.join("\n") };
}

Deno.test("the load ends at the given number of requests, all of them answered", async () => {
  const { exitCode, output } = await load(200, {});
  assert.equal(exitCode, 0);
  const { requests, p50, p99 }: LoadResult = JSON.parse(output);
  assert.equal(requests, 101);
  assert.ok(p50 > 0 && p50 <= p99);
});

Deno.test("a reply with another status ends the load with an error", async () => {
  const { exitCode, output } = await load(500, {});
  assert.notEqual(exitCode, 0);
  assert.match(output, /A reply has status 500 instead of 200/);
});

Deno.test("every paid request carries a nonce of its own", async () => {
  const nonces: string[] = [];
  const paymentFor = { payTo: "0x1f6004907Adc7d313768b85917e069e011150390", amount: "1000" };
  await load(200, { paymentFor }, ({ headers }) => {
    const payment = JSON.parse(atob(headers.get("payment-signature")!));
    nonces.push(payment.payload.authorization.nonce);
  });
  assert.equal(nonces.length, 101);
  assert.equal(new Set(nonces).size, 101);
});
