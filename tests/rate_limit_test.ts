/** What a client may ask for without paying, and that no buyer is kept from paying by it. */
import assert from "node:assert/strict";
import type { RateLimits } from "../gateway/mod.ts";
import { startPaidApi } from "./rig/paid_api.ts";
import { type PaymentToSign, signPayment, usdcRequirements } from "./rig/sign_payment.ts";
import { startScriptedFacilitator } from "./support/scripted_facilitator.ts";
import { rule, snapshotOf, startTestGateway, usdcTerms } from "./support/test_gateway.ts";

const hour = 3_600_000;
const none = { unpaid: undefined, invalid: undefined };

interface Answered {
  readonly status: number;
  /** The code of a failure. */
  readonly error: string;
  readonly retryAfter: string | null;
}

/** Clients are who `X-Forwarded-For` says, as this machine is a trusted proxy. */
function setUp(rates: Partial<RateLimits>, trustedProxies: readonly string[] = ["127.0.0.1"]) {
  const api = startPaidApi();
  const facilitator = startScriptedFacilitator();
  const terms = usdcTerms(facilitator.url);
  const rules = [
    rule("/paid/**", { kind: "paid", terms }),
    rule("/free", { kind: "free" }),
    rule("/maybe", {
      kind: "paid",
      terms,
      conditions: [{ header: "user-agent", pattern: "bot", action: "pay" }],
      conditionDefault: "free",
    }),
  ];
  const gateway = startTestGateway(snapshotOf(api.url, rules), {
    rates: { ...none, ...rates },
    trustedProxies,
  });
  async function get(
    client: string,
    header: [string, string] = ["x-nothing", ""],
    path = "/paid/x",
    method = "GET",
  ): Promise<Answered> {
    const headers = [["x-forwarded-for", client], header] as [string, string][];
    const reply = await fetch(gateway.url + path, { method, headers });
    const text = await reply.text();
    const error = reply.status === 429 || reply.status === 400 ? JSON.parse(text).error : "";
    return { status: reply.status, error, retryAfter: reply.headers.get("retry-after") };
  }
  return {
    api,
    facilitator,
    gateway,
    get,
    /** Statuses of so many requests in a row. */
    async statuses(count: number, client: string, header?: () => Promise<[string, string]>) {
      const all: number[] = [];
      for (let i = 0; i < count; i++) all.push((await get(client, await header?.())).status);
      return all;
    },
    async sign(changes: Partial<PaymentToSign> = {}): Promise<[string, string]> {
      const version = changes.version ?? 2;
      const requirements = usdcRequirements(version, terms.amount, terms.payTo);
      return (await signPayment({ version, buyer: 1, requirements, ...changes })).header;
    },
    async metric(status: string): Promise<number> {
      const text = await (await fetch(`${gateway.metricsUrl}/metrics`)).text();
      const line = text.split("\n").find((line) => line.includes(`payment_status="${status}"`));
      return Number(line?.split(" ").at(-1) ?? 0);
    },
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await facilitator[Symbol.asyncDispose]();
      await api[Symbol.asyncDispose]();
    },
  };
}

const refusal = { json: { isValid: false, invalidReason: "insufficient_funds" } };

Deno.test("unpaid: so many 402s of one client, then 429 with the time to wait", async () => {
  await using bed = setUp({ unpaid: { count: 3, perMs: 3 * hour } });
  assert.deepEqual(await bed.statuses(3, "192.0.2.1"), [402, 402, 402]);
  assert.deepEqual(await bed.get("192.0.2.1"), {
    status: 429,
    error: "too_many_unpaid_requests",
    retryAfter: "3600",
  });
  assert.deepEqual([await bed.metric("payment_required"), await bed.metric("rate_limited")], [
    3,
    1,
  ]);
});

Deno.test("unpaid: clients do not share, all of an IPv6 customer do", async () => {
  await using bed = setUp({ unpaid: { count: 1, perMs: hour } });
  const clients = ["192.0.2.1", "192.0.2.2", "2001:db8:0:1::1", "2001:db8:0:2::1"];
  for (const client of clients) assert.deepEqual(await bed.statuses(2, client), [402, 429]);
  assert.deepEqual(await bed.statuses(1, "2001:db8::1:2:3:4:5"), [429]);
  assert.deepEqual(await bed.statuses(1, "::ffff:192.0.2.1"), [429]);
});

Deno.test("unpaid: a stranger cannot say that it is somebody else", async () => {
  await using bed = setUp({ unpaid: { count: 1, perMs: hour } }, []);
  assert.deepEqual(await bed.statuses(1, "192.0.2.1"), [402]);
  assert.deepEqual(await bed.statuses(1, "192.0.2.2"), [429]);
  // What may be a proxy that should be trusted is told, once.
  assert.deepEqual(await bed.statuses(2, "192.0.2.3"), [429, 429]);
  const warnings = bed.gateway.log.filter(({ level }) => level === "warn");
  assert.deepEqual(warnings.map(({ proxy }) => proxy), ["127.0.0.1"]);
});

Deno.test("unpaid: buyers behind the same address go on paying", async () => {
  await using bed = setUp({
    unpaid: { count: 1, perMs: hour },
    invalid: { count: 1, perMs: hour },
  });
  assert.deepEqual(await bed.statuses(3, "192.0.2.1"), [402, 429, 429]);
  assert.deepEqual(await bed.statuses(3, "192.0.2.1", () => bed.sign()), [200, 200, 200]);
  assert.deepEqual(await bed.statuses(1, "192.0.2.1", () => bed.sign({ version: 1 })), [200]);
});

Deno.test("unpaid: what costs nothing is not counted", async () => {
  await using bed = setUp({ unpaid: { count: 1, perMs: hour } });
  for (let i = 0; i < 3; i++) {
    assert.equal((await bed.get("192.0.2.1", undefined, "/free")).status, 200);
    assert.equal((await bed.get("192.0.2.1", undefined, "/elsewhere")).status, 200);
    assert.equal((await bed.get("192.0.2.1", ["user-agent", "person"], "/maybe")).status, 200);
  }
  assert.equal((await bed.get("192.0.2.1", ["user-agent", "bot"], "/maybe")).status, 402);
  assert.equal((await bed.get("192.0.2.1", ["user-agent", "bot"], "/maybe")).status, 429);
});

Deno.test("unpaid: after the time that it was told, a client gets its 402", async () => {
  await using bed = setUp({ unpaid: { count: 1, perMs: 1_000 } });
  assert.deepEqual(await bed.statuses(2, "192.0.2.1"), [402, 429]);
  const { retryAfter } = await bed.get("192.0.2.1");
  await new Promise((resolve) => setTimeout(resolve, Number(retryAfter) * 1_000));
  assert.deepEqual(await bed.statuses(1, "192.0.2.1"), [402]);
});

Deno.test("unpaid: refused payments count as well", async () => {
  await using bed = setUp({ unpaid: { count: 2, perMs: hour } });
  bed.facilitator.answers["/verify"] = refusal;
  assert.deepEqual(await bed.statuses(2, "192.0.2.1", () => bed.sign()), [402, 402]);
  assert.deepEqual(await bed.statuses(1, "192.0.2.1"), [429]);
});

/** Ways of a payment to be none, or not enough. */
const invalid: Record<string, {
  readonly status: number;
  readonly header: (bed: ReturnType<typeof setUp>) => Promise<[string, string]>;
}> = {
  "garbage": { status: 400, header: () => Promise.resolve(["payment-signature", "!"]) },
  "no payment of any version": {
    status: 402,
    header: () => Promise.resolve(["x-payment", btoa('{"x402Version":7}')]),
  },
  "for other terms": {
    status: 402,
    header: (bed) => bed.sign({ authorization: { value: "1" } }),
  },
  "refused by the facilitator": {
    status: 402,
    header(bed) {
      bed.facilitator.next["/verify"].push(refusal);
      return bed.sign();
    },
  },
  "refused at its settlement": {
    status: 402,
    header(bed) {
      bed.facilitator.next["/settle"].push({
        json: { success: false, errorReason: "insufficient_funds" },
      });
      return bed.sign();
    },
  },
};

for (const [name, { status, header }] of Object.entries(invalid)) {
  Deno.test(`invalid: payments that are ${name} are counted`, async () => {
    await using bed = setUp({ invalid: { count: 2, perMs: 2 * hour } });
    assert.deepEqual(await bed.statuses(2, "192.0.2.1", () => header(bed)), [status, status]);
    assert.deepEqual(await bed.get("192.0.2.1", await header(bed)), {
      status: 429,
      error: "too_many_refused_payments",
      retryAfter: "3600",
    });
    assert.equal(await bed.metric("rate_limited"), 1);
    // Nor does it keep anybody from asking, or anybody else from paying.
    assert.deepEqual(await bed.statuses(1, "192.0.2.1"), [402]);
    bed.facilitator.next["/verify"] = [];
    bed.facilitator.next["/settle"] = [];
    assert.deepEqual(await bed.statuses(1, "192.0.2.2", () => bed.sign()), [200]);
  });
}

Deno.test("invalid: too many make nothing of the next one, at the facilitator or on record", async () => {
  await using bed = setUp({ invalid: { count: 1, perMs: hour } });
  bed.facilitator.answers["/verify"] = refusal;
  assert.deepEqual(await bed.statuses(2, "192.0.2.1", () => bed.sign()), [402, 429]);
  assert.equal(bed.facilitator.received["/verify"].length, 1);
  const payments = await bed.gateway.ledger.database.query("SELECT state FROM payments");
  assert.equal(payments.length, 1);
});

Deno.test("invalid: of a suspicious address those pass who have paid before", async () => {
  await using bed = setUp({ invalid: { count: 1, perMs: hour } });
  const buyer = 3;
  assert.deepEqual(await bed.statuses(1, "192.0.2.1", () => bed.sign({ buyer })), [200]);
  bed.facilitator.next["/verify"].push(refusal);
  assert.deepEqual(await bed.statuses(2, "192.0.2.1", () => bed.sign({ buyer: 4 })), [402, 429]);
  assert.deepEqual(await bed.statuses(2, "192.0.2.1", () => bed.sign({ buyer })), [200, 200]);

  // Whoever only names the buyer is not let through.
  const [, signed] = await bed.sign({ buyer });
  const forged = JSON.parse(atob(signed));
  forged.payload.authorization.nonce = "0x" + "77".repeat(32);
  const header: [string, string] = ["payment-signature", btoa(JSON.stringify(forged))];
  assert.deepEqual(await bed.statuses(1, "192.0.2.1", () => Promise.resolve(header)), [429]);

  // Nor the buyer itself, once its wallet is empty.
  bed.facilitator.next["/verify"].push(refusal);
  assert.deepEqual(await bed.statuses(2, "192.0.2.1", () => bed.sign({ buyer })), [402, 429]);
});

Deno.test("invalid: too many invalid signatures are still told apart, and count", async () => {
  await using bed = setUp({ invalid: { count: 7, perMs: hour } });
  bed.facilitator.answers["/verify"] = {
    json: { isValid: false, invalidReason: "invalid_exact_evm_payload_signature" },
  };
  const forged = () => bed.sign({ domain: { chainId: 1 } });
  assert.deepEqual(await bed.statuses(5, "192.0.2.1", forged), [402, 402, 402, 402, 402]);
  const errors = [];
  for (let i = 0; i < 3; i++) errors.push((await bed.get("192.0.2.1", await forged())).error);
  const [known, limit] = ["too_many_invalid_signatures", "too_many_refused_payments"];
  assert.deepEqual(errors, [known, known, limit]);
});

Deno.test("a gateway without limits has none", async () => {
  await using bed = setUp({});
  assert.deepEqual(new Set(await bed.statuses(50, "192.0.2.1")), new Set([402]));
  bed.facilitator.answers["/verify"] = refusal;
  assert.deepEqual(new Set(await bed.statuses(20, "192.0.2.1", () => bed.sign())), new Set([402]));
});
