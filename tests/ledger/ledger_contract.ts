/**
 * What every ledger has to do, whatever its database: one suite, run on each of them
 * (`ledger_contract_test.ts`).
 */
import assert from "node:assert/strict";
import type { Ledger } from "../../store/ledger/ledger.ts";
import { type Hold, HoldLost, type Reservation } from "../../store/ledger/payment_ledger.ts";
import { type NewPayment, paymentKey } from "../../store/ledger/payment_record.ts";
import {
  afterLapse,
  comesFrom,
  type HeldState,
  heldStates,
  openStates,
  type PaymentState,
  paymentStates,
} from "../../store/ledger/payment_state.ts";
import type { SqlDatabase } from "../../store/ledger/sql_database.ts";
import { newPayment } from "../../store/ledger/test_payment.ts";

/** A ledger with the database below it, and a second one on the same database: another replica. */
export interface LedgerBed {
  readonly ledger: Ledger;
  readonly replica: Ledger;
  readonly database: SqlDatabase;
}

export type ContractCase = (bed: LedgerBed) => Promise<void>;

/** Ways from `reserved` to each state. */
const ways: Record<PaymentState, readonly PaymentState[]> = {
  reserved: [],
  verified: ["verified"],
  executed: ["verified", "settling", "executed"],
  settling: ["verified", "settling"],
  settled: ["verified", "settling", "settled"],
  delivered: ["verified", "settling", "settled", "delivered"],
  rejected: ["rejected"],
  released: ["released"],
  unknown: ["verified", "settling", "unknown"],
  undelivered: ["verified", "settling", "settled", "undelivered"],
};

const transaction = `0x${"5e".repeat(32)}`;

async function reserve({ payments }: Ledger, payment: NewPayment): Promise<Hold> {
  const reservation = await payments.reserve(payment);
  assert.equal(reservation.kind, "reserved");
  return (reservation as Extract<Reservation, { kind: "reserved" }>).hold;
}

async function bringTo(ledger: Ledger, payment: NewPayment, state: PaymentState): Promise<Hold> {
  const hold = await reserve(ledger, payment);
  for (const step of ways[state]) {
    await ledger.payments.move(hold, step, {
      ...(step === "verified" && { executions: 1 }),
      ...(step === "settling" && { claim: '{"signed":true}' }),
      ...(step === "settled" && { transaction }),
    });
  }
  return hold;
}

async function stateOf({ history }: Ledger, payment: NewPayment): Promise<PaymentState> {
  const [record] = await history.show(paymentKey(payment));
  return record!.state;
}

/** As if the holders had been silent for long. */
async function endLeases({ database }: LedgerBed, { nonce }: NewPayment): Promise<void> {
  await database.query("UPDATE payments SET lease_until = 1 WHERE nonce = ? AND lease_until > 0", [
    nonce,
  ]);
}

async function kindOf(ledger: Ledger, payment: NewPayment): Promise<Reservation["kind"]> {
  return (await ledger.payments.reserve(payment)).kind;
}

export const contract: Record<string, ContractCase> = {
  "of 64 reservations at once over two replicas exactly one gets the payment": async (bed) => {
    const payment = newPayment();
    const kinds = await Promise.all(
      Array.from({ length: 64 }, (_, i) => kindOf(i % 2 ? bed.ledger : bed.replica, payment)),
    );
    assert.equal(kinds.filter((kind) => kind === "reserved").length, 1);
    assert.equal(kinds.filter((kind) => kind === "in_flight").length, 63);
    assert.equal(await kindOf(bed.ledger, newPayment()), "reserved", "no lock on all of them");
  },

  "only the moves of the state machine are carried out": async ({ ledger }) => {
    for (const from of paymentStates) {
      for (const to of paymentStates) {
        // Taking over is not a move.
        if (to === "reserved") continue;
        const payment = newPayment();
        const hold = await bringTo(ledger, payment, from);
        const moved = ledger.payments.move(hold, to);
        // Made once more after a lost answer, a move changes nothing.
        if (comesFrom[to].includes(from) || to === from) await moved;
        else await assert.rejects(moved, HoldLost, `${from} -> ${to}`);
        assert.equal(await stateOf(ledger, payment), comesFrom[to].includes(from) ? to : from);
      }
    }
  },

  "a copy of a held payment is in flight": async ({ ledger, replica }) => {
    for (const state of heldStates) {
      const payment = newPayment();
      await bringTo(ledger, payment, state);
      assert.equal(await kindOf(replica, payment), "in_flight", state);
    }
  },

  "a payment that was never used is as good as new": async ({ ledger, replica }) => {
    for (const state of ["rejected", "released"] as const) {
      const payment = newPayment();
      await bringTo(ledger, payment, state);
      assert.equal(await kindOf(replica, { ...payment, path: "/other" }), "reserved", state);
      const [record] = await ledger.history.show(payment.nonce);
      assert.deepEqual([record!.path, record!.state], ["/other", "reserved"]);
    }
  },

  "a payment whose backend was called is used up, one that did not reach it is not": async (
    { ledger },
  ) => {
    const payment = newPayment();
    const hold = await bringTo(ledger, payment, "verified");
    await ledger.payments.move(hold, "released", { reason: "status 500" });
    assert.deepEqual(await ledger.payments.reserve(payment), { kind: "used", delivered: false });
    const unreached = newPayment();
    const other = await bringTo(ledger, unreached, "verified");
    await ledger.payments.move(other, "released", { executions: -1 });
    assert.equal(await kindOf(ledger, unreached), "reserved");
  },

  "a delivered payment is used up, and is known as delivered by the same request": async (
    { ledger },
  ) => {
    const payment = newPayment();
    await bringTo(ledger, payment, "delivered");
    const used = (delivered: boolean) => ({ kind: "used", delivered });
    assert.deepEqual(await ledger.payments.reserve(payment), used(true));
    const others = { requestDigest: "x", proof: "x", host: "x", path: "x" } as const;
    for (const [name, value] of Object.entries(others)) {
      const other = { ...payment, [name]: value };
      assert.deepEqual(await ledger.payments.reserve(other), used(false), name);
    }
  },

  "an undelivered reply is fetched again by the same request with the same signature": async (
    { ledger, replica },
  ) => {
    const payment = newPayment();
    await bringTo(ledger, payment, "undelivered");
    const others: [Partial<NewPayment>, Reservation["kind"]][] = [
      [{ requestDigest: "x" }, "bound_elsewhere"],
      [{ httpMethod: "POST" }, "bound_elsewhere"],
      [{ host: "other.example.com" }, "bound_elsewhere"],
      [{ path: "/other" }, "bound_elsewhere"],
      [{ route: "shop/other" }, "bound_elsewhere"],
      [{ amount: 999n }, "bound_elsewhere"],
      [{ proof: "x" }, "used"],
    ];
    for (const [change, kind] of others) {
      assert.equal(
        await kindOf(ledger, { ...payment, ...change }),
        kind,
        JSON.stringify(change, text),
      );
    }
    const again = await replica.payments.reserve(payment);
    assert.equal(again.kind, "fetch_again");
    assert.equal((again as { transaction?: string }).transaction, transaction);
    assert.equal(await kindOf(ledger, payment), "in_flight");
    await replica.payments.move((again as { hold: Hold }).hold, "delivered");
    assert.equal(await kindOf(ledger, payment), "used");
    const [record] = await ledger.history.show(payment.nonce);
    assert.equal(record!.executions, 2);
  },

  "of 32 that fetch an undelivered reply again at once, one does": async ({ ledger, replica }) => {
    const payment = newPayment();
    await bringTo(ledger, payment, "undelivered");
    const kinds = await Promise.all(
      Array.from({ length: 32 }, (_, i) => kindOf(i % 2 ? ledger : replica, payment)),
    );
    assert.deepEqual(kinds.toSorted(), ["fetch_again", ...Array(31).fill("in_flight")]);
  },

  "a reply is fetched again three times at the most, and only for a while": async (bed) => {
    const { ledger, database } = bed;
    const often = newPayment();
    await bringTo(ledger, often, "undelivered");
    for (let i = 0; i < 3; i++) {
      const again = await ledger.payments.reserve(often) as { kind: string; hold: Hold };
      assert.equal(again.kind, "fetch_again");
      await ledger.payments.move(again.hold, "undelivered");
    }
    assert.equal(await kindOf(ledger, often), "used");
    const late = newPayment();
    await bringTo(ledger, late, "undelivered");
    await database.query("UPDATE payments SET settled_at = 1 WHERE nonce = ?", [late.nonce]);
    assert.equal(await kindOf(ledger, late), "used");
  },

  "a request that was not read whole fetches nothing again": async ({ ledger }) => {
    const { requestDigest: _, ...payment } = newPayment();
    await bringTo(ledger, payment, "undelivered");
    assert.equal(await kindOf(ledger, payment), "bound_elsewhere");
  },

  "a payment that was not sent to the facilitator is settled first when it comes again": async (
    { ledger },
  ) => {
    const payment = newPayment();
    await bringTo(ledger, payment, "executed");
    assert.equal(await kindOf(ledger, { ...payment, requestDigest: "x" }), "unknown");
    assert.equal(await kindOf(ledger, { ...payment, proof: "x" }), "unknown");
    assert.equal((await ledger.payments.find(payment)).kind, "unknown", "its time is over");
    const again = await ledger.payments.reserve(payment);
    assert.deepEqual([again.kind, (again as { from?: string }).from], ["settle_again", "executed"]);
    assert.equal(await stateOf(ledger, payment), "settling");
  },

  "a payment in doubt waits until it is known not to be settled": async (bed) => {
    const { ledger, database } = bed;
    const payment = newPayment();
    await bringTo(ledger, payment, "unknown");
    assert.equal(await kindOf(ledger, payment), "unknown");
    const [doubtful] = await ledger.upkeep.takeDoubtful(1_000, 1_000)
      .then((all) => all.filter(({ nonce }) => nonce === payment.nonce));
    assert.equal(doubtful!.claim, '{"signed":true}');
    await ledger.upkeep.foundUnused(doubtful!);
    assert.equal(await kindOf(ledger, payment), "unknown", "too soon: it may be on its way");
    await database.query("UPDATE payments SET updated_at = 1 WHERE nonce = ?", [payment.nonce]);
    await ledger.upkeep.foundUnused(doubtful!);
    const again = await ledger.payments.reserve(payment) as { kind: string; hold: Hold };
    assert.equal(again.kind, "settle_again");
    assert.equal(await ledger.upkeep.resolve(doubtful!, { state: "released", reason: "" }), false);
    await ledger.payments.move(again.hold, "unknown");
    assert.equal(await kindOf(ledger, payment), "unknown", "in doubt anew");
  },

  "a dead holder's payment is taken over after its time and never before": async (bed) => {
    const { ledger, replica } = bed;
    for (const state of heldStates) {
      const payment = newPayment();
      const hold = await bringTo(ledger, payment, state);
      await replica.upkeep.lapse();
      assert.equal(await stateOf(ledger, payment), state, "its lease has not run out");
      await endLeases(bed, payment);
      const taken = await kindOf(replica, payment);
      const expected = {
        reserved: "reserved",
        verified: "used",
        settling: "unknown",
        settled: "fetch_again",
      }[state];
      assert.equal(taken, expected, state);
      for (const to of paymentStates) {
        if (to === "reserved") continue;
        await assert.rejects(
          ledger.payments.move(hold, to),
          HoldLost,
          `${state}: back from the dead`,
        );
      }
    }
  },

  "what dead holders leave is swept up": async (bed) => {
    for (const state of heldStates) {
      const payment = newPayment();
      const hold = await bringTo(bed.ledger, payment, state);
      await endLeases(bed, payment);
      await bed.replica.upkeep.lapse();
      assert.equal(await stateOf(bed.ledger, payment), afterLapse[state as HeldState]);
      await assert.rejects(bed.ledger.payments.move(hold, "released"), HoldLost);
    }
  },

  "a payment that was never settled is void when its time is over": async (bed) => {
    const payment = newPayment({ validBefore: 1n });
    await bringTo(bed.ledger, payment, "executed");
    await bed.ledger.upkeep.lapse();
    assert.equal(await stateOf(bed.ledger, payment), "released");
    assert.equal(await kindOf(bed.ledger, payment), "used");
  },

  "a doubtful payment comes to one replica, and again later": async (bed) => {
    const payments = [newPayment(), newPayment(), newPayment()];
    for (const payment of payments) await bringTo(bed.ledger, payment, "unknown");
    const taken = await Promise.all(
      [bed.ledger, bed.replica, bed.ledger, bed.replica].map(({ upkeep }) =>
        upkeep.takeDoubtful(60_000, 1_000)
      ),
    );
    const nonces = taken.flat().map(({ nonce }) => nonce);
    for (const { nonce } of payments) {
      assert.equal(nonces.filter((each) => each === nonce).length, 1);
    }
  },

  "a found outcome moves the row on, once, and forgets the signature": async (bed) => {
    const { ledger, replica, database } = bed;
    for (const state of ["undelivered", "released"] as const) {
      const payment = newPayment();
      await bringTo(ledger, payment, "unknown");
      const doubtful = (await ledger.upkeep.takeDoubtful(60_000, 1_000))
        .find(({ nonce }) => nonce === payment.nonce)!;
      const resolution = state === "undelivered"
        ? { state, transaction, reason: "found" } as const
        : { state, reason: "expired" } as const;
      const resolved = await Promise.all(
        [ledger, replica].map(({ upkeep }) => upkeep.resolve(doubtful, resolution)),
      );
      assert.deepEqual(resolved.toSorted(), [false, true]);
      const [row] = await database.query("SELECT * FROM payments WHERE nonce = ?", [payment.nonce]);
      assert.deepEqual([row!.state, row!.claim], [state, null]);
      assert.equal(row!.settled_at !== null, state === "undelivered");
      assert.equal(await kindOf(ledger, payment), state === "undelivered" ? "fetch_again" : "used");
    }
  },

  "the signature is kept as long as it may be needed, and no longer": async (bed) => {
    for (const state of paymentStates) {
      const payment = newPayment();
      await bringTo(bed.ledger, payment, state);
      const [row] = await bed.database.query("SELECT claim FROM payments WHERE nonce = ?", [
        payment.nonce,
      ]);
      const needed = ["settling", "executed", "unknown"].includes(state);
      assert.equal(row!.claim !== null, needed, state);
    }
  },

  "leases are renewed while their holder lives": async (bed) => {
    const payment = newPayment();
    const hold = await bringTo(bed.ledger, payment, "settled");
    await endLeases(bed, payment);
    await bed.ledger.payments.renew(hold);
    await bed.replica.upkeep.lapse();
    assert.equal(await stateOf(bed.ledger, payment), "settled");
  },

  "retention removes what is over and never what is open": async (bed) => {
    const { ledger, database } = bed;
    const byState = paymentStates.map((state) => ({
      state,
      payment: newPayment({ validBefore: 2n }),
    }));
    const young = newPayment({ validBefore: 2n });
    const valid = newPayment();
    for (const { state, payment } of byState) {
      await bringTo(ledger, payment, state);
      await database.query("UPDATE payments SET updated_at = 1 WHERE nonce = ?", [payment.nonce]);
    }
    await bringTo(ledger, young, "delivered");
    await bringTo(ledger, valid, "delivered");
    await database.query("UPDATE payments SET updated_at = 1 WHERE nonce = ?", [valid.nonce]);
    await ledger.upkeep.prune({ paymentsMs: 60_000, identifiersMs: Infinity });
    for (const { state, payment } of byState) {
      const kept = (await ledger.history.show(payment.nonce)).length === 1;
      assert.equal(kept, openStates.includes(state), state);
    }
    assert.equal((await ledger.history.show(young.nonce)).length, 1, "young");
    assert.equal((await ledger.history.show(valid.nonce)).length, 1, "could be sent once more");
  },

  "an identifier stands for the first payment that is charged under it": async ({ ledger }) => {
    const { identifiers } = ledger;
    const first = newPayment();
    const second = newPayment();
    const key = `key ${first.nonce}`;
    const [a, b] = [paymentKey(first), paymentKey(second)];
    assert.deepEqual(await identifiers.claim(key, a, "request"), { kind: "claimed" });
    assert.deepEqual(await identifiers.claim(key, a, "request"), { kind: "claimed" }, "sent again");
    const same = { kind: "same_request", paymentId: a };
    assert.deepEqual(await identifiers.claim(key, b, "request"), same, "about to be reserved");
    const hold = await reserve(ledger, first);
    assert.deepEqual(await identifiers.claim(key, b, "request"), same);
    assert.deepEqual(await identifiers.claim(key, b, "other"), { kind: "conflict" });
    assert.deepEqual(await identifiers.claim(key, a, "other"), { kind: "conflict" });
    await ledger.payments.move(hold, "rejected");
    assert.deepEqual(await identifiers.claim(key, b, "other"), { kind: "claimed" });
    assert.deepEqual(await identifiers.claim(key, a, "request"), { kind: "conflict" });
  },

  "of 32 payments under one identifier at once, one is charged": async ({ ledger, replica }) => {
    const key = `key ${crypto.randomUUID()}`;
    const claims = await Promise.all(
      Array.from(
        { length: 32 },
        (_, i) =>
          (i % 2 ? ledger : replica).identifiers.claim(key, paymentKey(newPayment()), "request"),
      ),
    );
    assert.equal(claims.filter(({ kind }) => kind === "claimed").length, 1);
    assert.equal(claims.filter(({ kind }) => kind === "same_request").length, 31);
  },

  "a reply is kept byte for byte, the first one counts": async ({ ledger }) => {
    const payment = newPayment();
    const hold = await bringTo(ledger, payment, "settled");
    const body = crypto.getRandomValues(new Uint8Array(4096));
    const headers = [["set-cookie", "a=1"], ["set-cookie", "b=ü"]] as const;
    await ledger.payments.keepReply(hold, { status: 201, headers, body });
    await ledger.payments.keepReply(hold, { status: 500, headers: [], body: new Uint8Array() });
    const kept = await ledger.payments.findReply(hold.id);
    assert.deepEqual(kept, { status: 201, headers: headers.map((line) => [...line]), body });
    assert.equal(await ledger.payments.findReply("absent"), undefined);
  },

  "amounts of 78 digits stay exact": async ({ ledger }) => {
    const amount = 2n ** 256n - 1n;
    const payment = newPayment({ amount, price: String(amount), validBefore: amount });
    await reserve(ledger, payment);
    const [record] = await ledger.history.show(payment.nonce);
    assert.equal(record!.amount, amount);
  },

  "the history is listed in order, page by page, by filters": async ({ ledger }) => {
    const route = `shop/${crypto.randomUUID()}`;
    const payer = `0x${crypto.getRandomValues(new Uint8Array(20)).toHex()}`;
    const all = Array.from({ length: 1_500 }, () => newPayment({ route, payer }));
    await Promise.all(all.map((payment) => reserve(ledger, payment)));
    const count = async (filter: Parameters<typeof ledger.history.list>[0]) => {
      const found = await Array.fromAsync(ledger.history.list(filter));
      const times = found.map(({ createdAt }) => createdAt);
      assert.deepEqual(times, times.toSorted((a, b) => a - b));
      return new Set(found.map(({ nonce }) => nonce)).size;
    };
    assert.equal(await count({ route }), 1_500);
    assert.equal(await count({ payer: payer.toUpperCase().replace("0X", "0x") }), 1_500);
    assert.equal(await count({ route, states: ["settled", "delivered"] }), 0);
    assert.equal(await count({ route, states: ["reserved", "delivered"] }), 1_500);
    const middle = (await Array.fromAsync(ledger.history.list({ route })))[700]!.createdAt;
    const before = await count({ route, until: middle });
    assert.equal(before + await count({ route, since: middle }), 1_500);
    assert.ok(before <= 700);
  },
};

/** For JSON with bigints in it. */
function text(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
