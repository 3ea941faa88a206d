/** The payment state machine through the front door: real sockets, a facilitator that is told what to say. */
import assert from "node:assert/strict";
import { paymentBed as setUp } from "./support/payment_bed.ts";
import { rule, snapshotOf } from "./support/test_gateway.ts";

function receiptOf(response: Response, name = "payment-response") {
  return JSON.parse(atob(response.headers.get(name)!));
}

for (const settle of ["after-response", "before-request"] as const) {
  Deno.test(`${settle}: 50 copies at once: one is served, the backend runs once, one settlement`, async () => {
    await using bed = setUp({ settle });
    const header = await bed.sign();
    const replies = await Promise.all(
      Array.from({ length: 50 }, () => bed.fetch("/slow?ms=100", header)),
    );
    const bodies = await Promise.all(replies.map((reply) => reply.json()));
    const statuses = replies.map((reply) => reply.status);
    assert.equal(statuses.filter((status) => status === 200).length, 1);
    assert.ok(statuses.every((s) => s === 200 || s === 409 || s === 402), statuses.join());
    for (const [i, status] of statuses.entries()) {
      if (status === 409) assert.ok(Number(replies[i]!.headers.get("retry-after")) > 0);
      if (status === 402) assert.equal(bodies[i].error, "payment_already_used");
    }
    assert.equal(bed.api.calls({ path: "/slow" }), 1);
    assert.equal(bed.settlements(), 1);
  });

  Deno.test(`${settle}: a payment is used up by the request that it paid for`, async () => {
    await using bed = setUp({ settle });
    const header = await bed.sign();
    const first = await bed.fetch("/paid/a", header);
    assert.equal(first.status, 200);
    assert.equal(receiptOf(first).success, true);
    await first.body?.cancel();
    const second = await bed.fetch("/paid/b", header);
    assert.equal(second.status, 402);
    assert.equal((await second.json()).error, "payment_already_used");
    assert.ok(second.headers.has("payment-required"), "with the terms, to sign anew");
    assert.deepEqual([bed.api.received.length, bed.settlements()], [1, 1]);
  });
}

Deno.test("a backend that fails is not charged for, and its reply is passed on", async () => {
  await using bed = setUp();
  const header = await bed.sign();
  for (const status of [500, 404]) {
    const own = status === 500 ? header : await bed.sign();
    const reply = await bed.fetch(`/paid/x?status=${status}`, own);
    assert.equal(reply.status, status);
    assert.equal(reply.headers.has("payment-response"), false);
    await reply.body?.cancel();
  }
  assert.equal(bed.settlements(), 0);
  const again = await bed.fetch("/paid/x", header);
  await again.body?.cancel();
  assert.equal(again.status, 402, "one payment never executes twice");
  assert.equal(bed.api.received.length, 2);
});

Deno.test("a backend that was never reached uses nothing up", async () => {
  await using bed = setUp();
  const header = await bed.sign();
  const gone = "http://127.0.0.1:1";
  const access = { kind: "paid", terms: bed.terms } as const;
  bed.gateway.gateway.publish(snapshotOf(gone, [rule("/paid/**", access)]));
  const refused = await bed.fetch("/paid/x", header);
  assert.equal(refused.status, 502);
  assert.equal((await refused.json()).error, "upstream_unreachable");
  bed.gateway.gateway.publish(snapshotOf(bed.api.url, [rule("/paid/**", access)]));
  const served = await bed.fetch("/paid/x", header);
  await served.body?.cancel();
  assert.equal(served.status, 200);
  assert.equal(bed.settlements(), 1);
});

Deno.test("a backend that may have acted uses the payment up, although it never answered", async () => {
  await using bed = setUp();
  const access = { kind: "paid", terms: bed.terms } as const;
  const resetting = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const reset = (async () => {
    using connection = await resetting.accept();
    await connection.read(new Uint8Array(4096));
  })();
  const url = `http://127.0.0.1:${resetting.addr.port}`;
  bed.gateway.gateway.publish(snapshotOf(url, [rule("/paid/**", access)]));
  const header = await bed.sign();
  const failed = await bed.fetch("/paid/x", header);
  await reset;
  resetting.close();
  assert.deepEqual([failed.status, (await failed.json()).error], [502, "upstream_reset"]);
  bed.gateway.gateway.publish(snapshotOf(bed.api.url, [rule("/paid/**", access)]));
  const again = await bed.fetch("/paid/x", header);
  assert.deepEqual([again.status, (await again.json()).error], [402, "payment_already_used"]);
  assert.deepEqual([bed.api.received.length, bed.settlements()], [0, 0]);
});

Deno.test("a reply that is not paid for in the end is thrown away, not left running", async () => {
  const cancelled = Promise.withResolvers<void>();
  const endless = () => new ReadableStream({ cancel: () => cancelled.resolve() });
  const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  await using api = Deno.serve(options, () => new Response(endless()));
  await using bed = setUp();
  const access = { kind: "paid", terms: bed.terms } as const;
  const url = `http://127.0.0.1:${api.addr.port}`;
  bed.gateway.gateway.publish(snapshotOf(url, [rule("/paid/**", access)]));
  bed.facilitator.answers["/settle"] = {
    json: { success: false, errorReason: "insufficient_funds" },
  };
  const refused = await bed.fetch("/paid/x", await bed.sign());
  await refused.body?.cancel();
  assert.equal(refused.status, 402);
  await cancelled.promise;
});

Deno.test("before-request: a backend that fails after the charge: its status with the receipt", async () => {
  await using bed = setUp({ settle: "before-request" });
  const access = { kind: "paid", terms: bed.terms } as const;
  const gone = snapshotOf("http://127.0.0.1:1", [rule("/paid/**", access)]);
  const back = snapshotOf(bed.api.url, [rule("/paid/**", access)]);
  for (const failure of ["status 500", "unreachable"] as const) {
    const header = await bed.sign();
    const path = `/paid/x${failure === "status 500" ? "?status=500" : ""}`;
    if (failure === "unreachable") bed.gateway.gateway.publish(gone);
    const failed = await bed.fetch(path, header);
    assert.equal(failed.status, failure === "unreachable" ? 502 : 500);
    assert.equal(receiptOf(failed).success, true);
    await failed.body?.cancel();
    await bed.becomes("undelivered");
    bed.gateway.gateway.publish(back);
    const again = await bed.fetch(path, header);
    await again.body?.cancel();
    assert.equal(again.status, failure === "unreachable" ? 200 : 500, "charged once, served again");
    assert.equal(receiptOf(again).transaction, receiptOf(failed).transaction);
  }
  assert.ok(bed.gateway.log.some(({ msg }) => msg === "charged, but the backend failed"));
  assert.equal(bed.settlements(), 2);
});

Deno.test("before-request: money moves first; after-response: the backend's work comes first", async () => {
  for (const settle of ["before-request", "after-response"] as const) {
    await using bed = setUp({ settle });
    const settling = bed.facilitator.called("/settle").then(() => bed.api.received.length);
    const reply = await bed.fetch("/paid/x", await bed.sign());
    await reply.body?.cancel();
    assert.equal(await settling, settle === "before-request" ? 0 : 1);
  }
});

Deno.test("after-response: a client that leaves while the backend works is charged all the same", async () => {
  await using bed = setUp();
  const leave = new AbortController();
  const settled = bed.facilitator.called("/settle");
  // Longer than the gateway takes to notice that the client has left.
  const request = bed.fetch("/slow?ms=600", await bed.sign(), { signal: leave.signal });
  await bed.facilitator.called("/verify");
  leave.abort();
  await assert.rejects(request);
  await settled;
  assert.equal(bed.api.calls({ path: "/slow" }), 1);
});

Deno.test("the first event of a paid stream arrives before the last one is made", async () => {
  await using bed = setUp();
  const reply = await bed.fetch("/stream?events=0&interval=50", await bed.sign());
  assert.equal(reply.status, 200);
  const reader = reply.body!.getReader();
  const { value } = await reader.read();
  assert.match(new TextDecoder().decode(value), /data: \{"tick":1\}/);
  await reader.cancel();
});

Deno.test("the facilitator is spoken to in the buyer's version, with our terms", async () => {
  await using bed = setUp();
  for (const version of [1, 2] as const) {
    const extra = { unknownField: "kept" };
    const name = version === 1 ? "x-payment-response" : "payment-response";
    const network = version === 1 ? "base-sepolia" : "eip155:84532";
    bed.facilitator.answers["/settle"] = {
      json: { success: true, transaction: "0x" + "5e".repeat(32), network },
    };
    const reply = await bed.fetch("/paid/x", await bed.sign({ version, message: extra }));
    await reply.body?.cancel();
    assert.deepEqual([reply.status, receiptOf(reply, name).network], [200, network]);
    for (const endpoint of ["/verify", "/settle"] as const) {
      const call = bed.facilitator.received[endpoint].at(-1)!;
      assert.equal(call.x402Version, version);
      assert.equal((call.paymentPayload as typeof extra).unknownField, "kept");
      const { network: asked, amount, maxAmountRequired, resource } = call.paymentRequirements;
      assert.deepEqual([asked, amount ?? maxAmountRequired], [network, "1000"]);
      assert.equal(resource, version === 1 ? `${bed.gateway.url}/paid/x` : undefined);
    }
  }
});

Deno.test("the backend learns who paid, and a client cannot forge it", async () => {
  await using bed = setUp({ settle: "before-request" });
  const forged: [string, string][] = [
    ["X-402-Payer", "0xforged"],
    ["X_402_Payer", "0xforged"],
    ["x-402-transaction", "0xforged"],
    ["X-402-Anything", "forged"],
  ];
  const header = await bed.sign();
  const paid = await bed.fetch("/paid/x", header, { headers: forged });
  const { headers } = await paid.json();
  assert.equal(headers["x-402-payer"], "0x70997970c51812dc3a010c7d01b50e0d17dc79c8");
  assert.equal(headers["x-402-amount"], "1000");
  assert.equal(headers["x-402-asset"], bed.terms.asset);
  assert.equal(headers["x-402-network"], "eip155:84532");
  assert.equal(headers["x-402-transaction"], "0x" + "5e".repeat(32));
  assert.equal(JSON.stringify(headers).includes("forged"), false);
  assert.equal(headers["payment-signature"], undefined, "the payment stays here");
  const free = await bed.fetch("/free", header, { headers: forged });
  const seen = JSON.stringify((await free.json()).headers);
  assert.doesNotMatch(seen, /forged|payment-signature/);
});

Deno.test("a paid reply is not left to shared caches", async () => {
  const api = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    () => new Response("x", { headers: { "cache-control": "public, max-age=60, s-maxage=600" } }),
  );
  await using bed = setUp();
  const access = { kind: "paid", terms: bed.terms } as const;
  const url = `http://127.0.0.1:${api.addr.port}`;
  bed.gateway.gateway.publish(snapshotOf(url, [rule("/paid/**", access)]));
  const reply = await bed.fetch("/paid/x", await bed.sign());
  await reply.body?.cancel();
  assert.equal(reply.headers.get("cache-control"), "private, max-age=60");
  await api.shutdown();
});

Deno.test("no signature and no payment header gets into the log", async () => {
  await using bed = setUp();
  const [name, value] = await bed.sign();
  const { signature } = JSON.parse(atob(value)).payload;
  bed.facilitator.answers["/settle"] = "close-after-request";
  for (const path of ["/paid/x", "/paid/x", "/free"]) {
    await (await bed.fetch(path, [name, value])).body?.cancel();
  }
  const log = JSON.stringify(bed.gateway.log);
  assert.ok(log.includes("settlement outcome unknown"));
  assert.equal(log.includes(signature.slice(2, 40)) || log.includes(value.slice(0, 60)), false);
});
