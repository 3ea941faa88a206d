import assert from "node:assert/strict";
import { startPaidApi } from "../rig/paid_api.ts";
import { Lane } from "./lane.ts";
import { TcpService } from "./tcp_service.ts";

async function setUp() {
  await using started = new AsyncDisposableStack();
  const pods = [started.use(startPaidApi()), started.use(startPaidApi())] as const;
  const service = started.use(new TcpService());
  service.endpoints = pods.map(({ port }) => port);
  const running = started.move();
  const get = async (lane: Lane) => (await lane.send({ host: "a.test", path: "/" })).outcome;
  return { pods, service, get, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

Deno.test("a Service sends new connections to its endpoints in turn", async () => {
  await using bed = await setUp();
  for (let n = 0; n < 4; n++) {
    using lane = new Lane(bed.service.port);
    assert.equal(await bed.get(lane), "200");
  }
  assert.deepEqual(bed.pods.map(({ received }) => received.length), [2, 2]);
});

Deno.test("an endpoint that is taken out keeps the connections that it has", async () => {
  await using bed = await setUp();
  using kept = new Lane(bed.service.port);
  await bed.get(kept);
  bed.service.endpoints = [bed.pods[1].port];
  using other = new Lane(bed.service.port);
  assert.deepEqual([await bed.get(kept), await bed.get(other), await bed.get(other)], [
    ...["200", "200", "200"],
  ]);
  assert.deepEqual(bed.pods.map(({ received }) => received.length), [2, 2]);
});

Deno.test("a Service that is closed refuses, and breaks what is open", async () => {
  await using bed = await setUp();
  using lane = new Lane(bed.service.port);
  await bed.get(lane);
  await bed.service.close();
  assert.equal(await bed.get(lane), "refused");
  bed.service.open();
  assert.equal(await bed.get(lane), "200");
});
