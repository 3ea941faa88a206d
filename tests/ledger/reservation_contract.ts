/** What every ledger has to say to requests that carry a payment, whatever its database. */
import assert from "node:assert/strict";
import { type Hold, HoldLost, type Reservation } from "../../store/ledger/payment_ledger.ts";
import type { NewPayment } from "../../store/ledger/payment_record.ts";
import { comesFrom, heldStates, paymentStates } from "../../store/ledger/payment_state.ts";
import { newPayment } from "../../store/ledger/test_payment.ts";
import { bringTo, type ContractCase, kindOf, stateOf, transaction } from "./ledger_bed.ts";

export const reservationContract: Record<string, ContractCase> = {
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
    assert.equal(await kindOf(ledger, often), "lost");
    const late = newPayment();
    await bringTo(ledger, late, "undelivered");
    await database.query("UPDATE payments SET settled_at = 1 WHERE nonce = ?", [late.nonce]);
    assert.equal(await kindOf(ledger, late), "lost");
  },

  "an attempt that did not reach the backend is none": async ({ ledger }) => {
    const payment = newPayment();
    await bringTo(ledger, payment, "undelivered");
    for (let i = 0; i < 10; i++) {
      const again = await ledger.payments.reserve(payment) as { kind: string; hold: Hold };
      assert.equal(again.kind, "fetch_again");
      await ledger.payments.move(again.hold, "undelivered", { executions: -1 });
    }
  },

  "a request that was not read whole fetches nothing again": async ({ ledger }) => {
    const { requestDigest: _, ...payment } = newPayment();
    await bringTo(ledger, payment, "undelivered");
    assert.equal(await kindOf(ledger, payment), "lost");
  },

  "a payment with a name is fetched again under that name alone": async ({ ledger }) => {
    const named = newPayment({ identifier: "order 1" });
    const { identifier: _, ...nameless } = named;
    for (const [payment, other] of [[named, nameless], [nameless, named]] as const) {
      const fresh = { ...payment, nonce: newPayment().nonce };
      await bringTo(ledger, fresh, "undelivered");
      const { nonce } = fresh;
      assert.equal(await kindOf(ledger, { ...other, nonce }), "used");
      assert.equal(await kindOf(ledger, { ...fresh, identifier: "order 2" }), "used");
      const again = await ledger.payments.reserve(fresh) as { kind: string; hold: Hold };
      assert.equal(again.kind, "fetch_again");
      await ledger.payments.move(again.hold, "delivered");
      const used = (delivered: boolean) => ({ kind: "used", delivered });
      assert.deepEqual(await ledger.payments.reserve({ ...other, nonce }), used(false));
      assert.deepEqual(await ledger.payments.reserve(fresh), used(true));
    }
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
};

/** For JSON with bigints in it. */
function text(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
