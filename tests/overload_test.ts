/**
 * More work than can be done: new requests are told so at once, what was begun is finished, and
 * afterwards all is as before.
 */
import assert from "node:assert/strict";
import { type Gateway, startGateway } from "./rig/gateway_process.ts";
import { allowLoopback } from "./rig/rig.ts";
import { renderSamples } from "./rig/sample_manifests.ts";
import { signPayment, usdcRequirements } from "./rig/sign_payment.ts";
import { startHeldBackend } from "./support/held_backend.ts";
import { startScriptedFacilitator } from "./support/scripted_facilitator.ts";

/** Of the samples. */
const wallet = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";

interface Answered {
  readonly status: number;
  readonly error: string | undefined;
  readonly retryAfter: string | null;
  readonly ms: number;
}

async function send(url: string, header?: [string, string]): Promise<Answered> {
  const start = performance.now();
  const reply = await fetch(url, { headers: header === undefined ? [] : [header] });
  const text = await reply.text();
  return {
    status: reply.status,
    error: reply.status === 503 ? JSON.parse(text).error : undefined,
    retryAfter: reply.headers.get("retry-after"),
    ms: performance.now() - start,
  };
}

/** Sends at its own pace, whether there are answers or not; resolves with all of them. */
async function openLoop(url: string, perSecond: number, seconds: number): Promise<Answered[]> {
  const answers: Promise<Answered>[] = [];
  const start = performance.now();
  while (answers.length < perSecond * seconds) {
    const due = Math.floor((performance.now() - start) / 1_000 * perSecond) + 1;
    while (answers.length < Math.min(due, perSecond * seconds)) answers.push(send(url));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return await Promise.all(answers);
}

/** The backend answers when told, the facilitator agrees to everything. */
async function setUp(flags: readonly string[]) {
  await using started = new AsyncDisposableStack();
  const backend = started.use(startHeldBackend());
  const facilitator = started.use(startScriptedFacilitator());
  const manifests = await Deno.makeTempDir({ prefix: "x402-overload-" });
  started.defer(() => Deno.remove(manifests, { recursive: true }));
  const facilitatorPort = Number(new URL(facilitator.url).port);
  await renderSamples(manifests, { api: backend.port, facilitator: facilitatorPort });
  const one = ["--workers", "1", "--drain-timeout", "1s"];
  const gateway = started.use(
    await startGateway({ manifests, flags: [...allowLoopback, ...one, ...flags] }),
  );
  const running = started.move();
  return {
    backend,
    facilitator,
    gateway,
    free: `${gateway.url}/health`,
    priced: `${gateway.url}/api/weather`,
    async sign(): Promise<[string, string]> {
      const requirements = usdcRequirements(2, "1000", wallet);
      return (await signPayment({ version: 2, buyer: 1, requirements })).header;
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function isOverloaded({ status, error, retryAfter }: Answered): boolean {
  return status === 503 && error === "overloaded" && Number(retryAfter) > 0;
}

async function refused(gateway: Gateway, kind: string): Promise<number> {
  const text = await (await fetch(`${gateway.metricsUrl}/metrics`)).text();
  const line = text.split("\n").find((line) =>
    line.startsWith(`x402_overloaded_requests_total{kind="${kind}"}`)
  );
  return Number(line?.split(" ")[1] ?? 0);
}

function percentile(values: readonly number[], part: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * part)]!;
}

Deno.test("more requests than may be in flight: 503 at once, what was begun is served and paid", async () => {
  await using bed = await setUp(["--max-in-flight", "40"]);
  const { backend, facilitator, gateway } = bed;
  const begun = await Promise.all(Array.from({ length: 15 }, bed.sign));
  const paid = begun.slice(0, 10).map((header) => send(bed.priced, header));
  await backend.waits(10);
  // Three quarters of the places are for everybody: 20 are left of those.
  const flood = openLoop(bed.free, 300, 2);
  await backend.waits(30);

  // The last quarter is for buyers, and is not enough for all of them either.
  paid.push(...begun.slice(10).map((header) => send(bed.priced, header)));
  await backend.waits(35);
  const late = await Promise.all(Array.from({ length: 6 }, bed.sign));
  const lateAnswers = late.map((header) => send(bed.priced, header));
  await backend.waits(40);
  const probes = ["/healthz", "/readyz"].map((path) => send(gateway.probeUrl + path));
  assert.deepEqual((await Promise.all(probes)).map(({ status }) => status), [200, 200]);
  const answered = Promise.race(lateAnswers);
  assert.ok(isOverloaded(await answered), "one buyer more than there is room for");
  assert.equal(facilitator.received["/verify"].length, 20, "before anybody was asked about it");
  assert.equal(await refused(gateway, "paid"), 1);

  // An answer to a refused request does not wait for those that are held.
  const isSlow = Symbol();
  const unheld = await Promise.race([
    send(bed.free),
    new Promise<typeof isSlow>((resolve) => setTimeout(resolve, 5_000, isSlow)),
  ]);
  assert.ok(unheld !== isSlow && isOverloaded(unheld));
  setTimeout(() => backend.release(), 1_000);
  const floodAnswers = await flood;
  const overloaded = floodAnswers.filter(isOverloaded);
  const served = floodAnswers.filter(({ status }) => status === 200);
  assert.equal(overloaded.length + served.length, floodAnswers.length);
  assert.ok(overloaded.length >= 100, `${overloaded.length}`);
  const ms = overloaded.map((answer) => answer.ms);
  assert.ok(percentile(ms, 0.5) < 250, `median ${percentile(ms, 0.5)} ms`);

  // What was begun is finished, and paid for once.
  assert.deepEqual(new Set((await Promise.all(paid)).map(({ status }) => status)), new Set([200]));
  const lateStatuses = (await Promise.all(lateAnswers)).map(({ status }) => status).toSorted();
  assert.deepEqual(lateStatuses, [200, 200, 200, 200, 200, 503]);
  assert.equal(facilitator.received["/settle"].length, 20);

  // And nothing of it is left: whoever was refused gets what it wanted for the same payment.
  assert.equal((await send(bed.free)).status, 200);
  assert.equal((await send(bed.priced)).status, 402);
  const again = await Promise.all(late.map((header) => send(bed.priced, header)));
  assert.equal(again.filter(({ status }) => status === 200).length, 1);
  const lines = gateway.log().filter(({ level }) => level === "error");
  assert.deepEqual(lines, [], "refusals are no errors, and no line each");
  const told = await gateway.logged("overloaded, requests were refused");
  assert.ok(Number(told.refused) > 0);
  assert.ok(await refused(gateway, "unpaid") > overloaded.length);
});

Deno.test("more connections than there may be: 503 as well, and counted", async () => {
  await using bed = await setUp(["--max-connections", "1"]);
  const held = send(bed.free);
  await bed.backend.waits(1);
  assert.ok(isOverloaded(await send(bed.free)));
  assert.equal(await refused(bed.gateway, "connection"), 1);
  bed.backend.release();
  assert.equal((await held).status, 200);
});

Deno.test("a gateway that gets too little time takes less work, until it gets enough", async () => {
  await using bed = await setUp(["--max-lag", "50ms"]);
  const { backend, gateway } = bed;
  const header = await bed.sign();
  const paid = send(bed.priced, header);
  await backend.waits(1);
  // On time it takes all of them.
  const before = Array.from({ length: 200 }, () => send(bed.free));
  await backend.waits(201);
  backend.release();
  assert.deepEqual(
    new Set((await Promise.all(before)).map(({ status }) => status)),
    new Set([200]),
  );
  assert.equal((await paid).status, 200);

  backend.hold();
  const begun = send(bed.priced, await bed.sign());
  await backend.waits(1);
  const stopThrottling = throttle(gateway.pid);
  try {
    const flood = openLoop(bed.free, 150, 3);
    const probe = await send(`${gateway.probeUrl}/readyz`);
    assert.equal(probe.status, 200);
    await backend.waits(90);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    backend.release();
    const answers = await flood;
    assert.ok(answers.every((answer) => answer.status === 200 || isOverloaded(answer)));
    const overloaded = answers.filter(isOverloaded);
    assert.ok(overloaded.length >= 50, `${overloaded.length} of ${answers.length}`);
    assert.equal((await begun).status, 200);
  } finally {
    await stopThrottling();
  }

  // It notices by itself that it is on time again.
  for (const end = performance.now() + 15_000;;) {
    const after = await Promise.all(Array.from({ length: 200 }, () => send(bed.free)));
    if (after.every(({ status }) => status === 200)) break;
    assert.ok(performance.now() < end, "it still refuses");
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
});

/** Lets a process run for a fifth of the time, as a machine does that has too much to do. */
function throttle(pid: number): () => Promise<void> {
  let running = true;
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  const throttling = (async () => {
    while (running) {
      Deno.kill(pid, "SIGSTOP");
      await pause(200);
      Deno.kill(pid, "SIGCONT");
      await pause(50);
    }
  })();
  return () => {
    running = false;
    return throttling;
  };
}
