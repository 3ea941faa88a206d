import assert from "node:assert/strict";
import { startClosingServer } from "../../tests/support/closing_server.ts";
import { setUpFacilitator as setUp, told } from "../../tests/support/facilitator_bed.ts";
import {
  type Answer,
  startScriptedFacilitator,
  success,
} from "../../tests/support/scripted_facilitator.ts";

/** An address where nobody listens. */
function closedUrl(): string {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.close();
  return `http://127.0.0.1:${listener.addr.port}`;
}

/** A server that does not speak TLS. */
function startPlainServer() {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepting = (async () => {
    for await (const connection of listener) {
      await connection.read(new Uint8Array(1));
      await connection.write(new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n"));
      connection.close();
    }
  })();
  return {
    port: listener.addr.port,
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
    },
  };
}

Deno.test("one more call than places waits until a place is free, then goes out", async () => {
  await using bed = setUp({ maxInFlight: 2, queueMs: 60_000 });
  const { facilitator } = bed;
  const { promise, resolve } = Promise.withResolvers<void>();
  facilitator.answers["/verify"] = { json: { isValid: true }, after: promise };
  const first = bed.verify();
  await facilitator.called("/verify");
  const second = bed.verify();
  await facilitator.called("/verify");
  const third = bed.verify();
  // Settlements take places, too, and go before the third.
  const settling = bed.settle();
  assert.equal(facilitator.requests.length, 2);
  resolve();
  assert.equal((await settling).kind, "settled");
  await Promise.all([first, second, third]);
  assert.equal(facilitator.received["/verify"].length, 3);
  assert.equal(facilitator.requests[2]!.path, "/settle");
});

Deno.test("no place in time: busy, and a settlement is not sent; another facilitator is free", async () => {
  await using bed = setUp({ maxInFlight: 1, queueMs: 20 });
  await using other = startScriptedFacilitator();
  const { facilitator } = bed;
  const { promise, resolve } = Promise.withResolvers<void>();
  facilitator.answers["/verify"] = { json: { isValid: true }, after: promise };
  const first = bed.verify();
  await facilitator.called("/verify");
  await assert.rejects(bed.verify(), { code: "facilitator_busy", status: 503 });
  assert.partialDeepStrictEqual(await told(bed.settle()), {
    kind: "not_sent",
    code: "facilitator_busy",
  });
  assert.equal((await bed.settle(other.url)).kind, "settled");
  resolve();
  await first;
  assert.equal(facilitator.requests.length, 1);
  assert.equal((await bed.settle()).kind, "settled", "the place is free again");
});

for (
  const answer of ["close-before-request", { json: {}, status: 500 }, { json: {}, status: 429 }]
) {
  Deno.test(`breaker: ${JSON.stringify(answer)}: 503 at once, until it is up again`, async () => {
    await using bed = setUp();
    await using other = startScriptedFacilitator();
    const { facilitator, log, clock } = bed;
    for (const endpoint of ["/verify", "/settle", "/supported"] as const) {
      facilitator.answers[endpoint] = answer as Answer;
    }
    for (let n = 0; n < 5; n++) await assert.rejects(bed.verify());
    while (log.length === 0) await assert.rejects(bed.verify());
    const calls = facilitator.connections();
    const open = { code: "facilitator_unavailable", status: 503, retryAfterSeconds: 10 };
    await assert.rejects(bed.verify(), open);
    assert.partialDeepStrictEqual(await told(bed.settle()), {
      kind: "not_sent",
      code: "facilitator_unavailable",
    });
    assert.equal(facilitator.connections(), calls, "nobody was called");
    assert.deepEqual(await bed.verify(other.url), { kind: "valid" });
    assert.equal((await bed.settle(other.url)).kind, "settled");

    clock.ms = 10_000;
    assert.equal((await told(bed.settle())).kind, "not_sent", "money is no probe");
    assert.equal(facilitator.connections(), calls + 1, "/supported alone");
    Object.assign(facilitator.answers, success);
    clock.ms = 20_000;
    assert.equal((await bed.settle()).kind, "settled");
    assert.deepEqual(await bed.verify(), { kind: "valid" });
    const levels = log.map(({ level, facilitator }) => [level, facilitator]);
    assert.deepEqual(levels, [["error", facilitator.url], ["info", facilitator.url]]);
  });
}

Deno.test("breaker: one X402Route's bad terms or one buyer's bad payments close nothing", async () => {
  await using bed = setUp();
  bed.facilitator.answers["/verify"] = { json: { error: "no such network" }, status: 500 };
  for (let n = 0; n < 20; n++) {
    await assert.rejects(bed.verify(), { code: "facilitator_invalid" });
  }
  assert.equal((await bed.settle()).kind, "settled");
  assert.deepEqual(bed.log, []);
});

Deno.test("breaker: refusals are successes", async () => {
  await using bed = setUp();
  const { answers, requests } = bed.facilitator;
  answers["/verify"] = { json: { isValid: false, invalidReason: "no money" } };
  answers["/settle"] = { json: { success: false, errorReason: "insufficient_funds" }, status: 400 };
  for (let n = 0; n < 10; n++) {
    assert.equal((await bed.verify()).kind, "invalid");
    assert.equal((await bed.settle()).kind, "refused");
  }
  assert.equal(requests.some(({ path }) => path === "/supported"), false);
});

Deno.test("verify: once again when the connection broke, and only once", async () => {
  await using bed = setUp();
  const { facilitator } = bed;
  facilitator.next["/verify"].push("close-after-request");
  assert.deepEqual(await bed.verify(), { kind: "valid" });
  assert.equal(facilitator.received["/verify"].length, 2);
  facilitator.next["/verify"].push("close-after-request", "close-after-request");
  await assert.rejects(bed.verify(), { code: "facilitator_unreachable", sent: "maybe" });
  assert.equal(facilitator.received["/verify"].length, 4);
});

const notRepeated: [answer: Answer, code: string][] = [
  [{ json: {}, status: 500 }, "facilitator_invalid"],
  [{ json: {}, status: 429 }, "facilitator_busy"],
  [{ json: { isValid: true, padding: "x".repeat(100_000) } }, "facilitator_invalid"],
  ["hang", "facilitator_timeout"],
];
for (const [answer, code] of notRepeated) {
  const name = JSON.stringify(answer).slice(0, 40);
  Deno.test(`verify: not again after ${code}: ${name}`, async () => {
    await using bed = setUp({ verifyMs: 100 });
    bed.facilitator.answers["/verify"] = answer;
    await assert.rejects(bed.verify(), { code });
    assert.equal(bed.facilitator.received["/verify"].length, 1);
  });
}

Deno.test("both tries of a verification have one time limit", async () => {
  await using bed = setUp({ verifyMs: 200 });
  bed.facilitator.next["/verify"].push("close-after-request");
  bed.facilitator.answers["/verify"] = "hang";
  const start = performance.now();
  await assert.rejects(bed.verify(), { code: "facilitator_timeout" });
  assert.ok(performance.now() - start < 390);
});

Deno.test("settle: sent once, also on a connection that turns out to be dead", async () => {
  await using bed = setUp();
  bed.facilitator.answers["/settle"] = "close-after-request";
  assert.equal((await told(bed.settle())).kind, "unknown");
  assert.equal(bed.facilitator.received["/settle"].length, 1);
  for (const when of ["after-reply", "at-second-request"] as const) {
    const answerOf = (line: string) =>
      line.includes("/settle") ? (success["/settle"] as { json: unknown }).json : { isValid: true };
    await using server = startClosingServer(answerOf, when);
    assert.deepEqual(await bed.verify(server.url), { kind: "valid" });
    // Its connection is taken for the settlement, unless it is known to have ended.
    const { kind } = await bed.settle(server.url);
    assert.equal(kind, when === "after-reply" ? "settled" : "unknown");
    assert.equal((await bed.settle(server.url)).kind, "settled");
    assert.equal(server.requests.filter((line) => line.includes("/settle")).length, 2);
  }
});

Deno.test("settle: provably not sent is not unknown", async (t) => {
  await using bed = setUp();
  const { facilitator } = bed;
  await using plain = startPlainServer();
  const cases: [name: string, url: string, kind: string][] = [
    ["nobody listens", closedUrl(), "not_sent"],
    ["no such name", "http://no-such-name.svc:1234", "not_sent"],
    ["no TLS there", `https://127.0.0.1:${plain.port}`, "not_sent"],
    ["a port that browsers block", "http://127.0.0.1:6000", "not_sent"],
  ];
  for (const [name, url, kind] of cases) {
    await t.step(name, async () => {
      const outcome = await told(bed.settle(url));
      assert.equal(outcome.kind, kind, outcome.detail);
      assert.equal(outcome.code, "facilitator_unreachable");
    });
  }
  for (const answer of ["close-before-request", "close-after-request"] as const) {
    await t.step(answer, async () => {
      facilitator.answers["/settle"] = answer;
      assert.equal((await told(bed.settle())).kind, "unknown");
    });
  }
});

Deno.test("phases: a head that does not come, a body that does not end", async () => {
  await using bed = setUp({ settleMs: 150, bodyMs: 60_000 });
  bed.facilitator.answers["/settle"] = "hang";
  const hanging = await told(bed.settle());
  assert.partialDeepStrictEqual(hanging, { kind: "unknown", code: "facilitator_timeout" });
  assert.match(hanging.detail, /no end of the head/);
  bed.facilitator.answers["/settle"] = "trickle";
  assert.match((await told(bed.settle())).detail, /no end of the body/);
});

Deno.test("phases: the body of an answer has a time limit of its own", async () => {
  await using bed = setUp({ settleMs: 60_000, bodyMs: 50 });
  bed.facilitator.answers["/settle"] = "trickle";
  const outcome = await told(bed.settle());
  assert.partialDeepStrictEqual(outcome, { kind: "unknown", code: "facilitator_timeout" });
  assert.match(outcome.detail, /no end of the body/);
});

Deno.test("a redirect is not followed: who is asked is for the X402Route to say", async () => {
  await using bed = setUp();
  await using other = startScriptedFacilitator();
  const { answers, url } = bed.facilitator;
  for (const endpoint of ["/verify", "/settle", "/supported"] as const) {
    const head = `HTTP/1.1 307 Moved\r\nlocation: ${other.url}${endpoint}\r\n`;
    answers[endpoint] = { raw: `${head}content-length: 0\r\n\r\n` };
  }
  await assert.rejects(bed.verify(), { code: "facilitator_invalid" });
  assert.equal((await told(bed.settle())).kind, "unknown");
  await assert.rejects(bed.client.supported(url), { code: "facilitator_invalid" });
  assert.equal(other.connections(), 0);
});
