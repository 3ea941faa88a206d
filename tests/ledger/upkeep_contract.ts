/** What every ledger has to do with payments that no request works on, whatever its database. */
import assert from "node:assert/strict";
import { HoldLost } from "../../store/ledger/payment_ledger.ts";
import { type NewPayment, paymentKey } from "../../store/ledger/payment_record.ts";
import {
  afterLapse,
  type HeldState,
  heldStates,
  openStates,
  paymentStates,
} from "../../store/ledger/payment_state.ts";
import { newPayment } from "../../store/ledger/test_payment.ts";
import {
  bringTo,
  type ContractCase,
  endLeases,
  kindOf,
  type LedgerBed,
  reserve,
  stateOf,
  transaction,
} from "./ledger_bed.ts";

export const upkeepContract: Record<string, ContractCase> = {
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

  "a payment that was never settled is let go of when nobody sends it again": async (bed) => {
    const payment = newPayment({ validBefore: 2n ** 255n });
    await bringTo(bed.ledger, payment, "executed");
    await bed.ledger.upkeep.lapse();
    assert.equal(await stateOf(bed.ledger, payment), "executed");
    await bed.database.query("UPDATE payments SET updated_at = 1 WHERE nonce = ?", [payment.nonce]);
    await bed.ledger.upkeep.lapse();
    assert.equal(await stateOf(bed.ledger, payment), "released");
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
    const { ledger } = bed;
    const byState = paymentStates.map((state) => ({
      state,
      payment: newPayment({ validBefore: 2n }),
    }));
    const young = newPayment({ validBefore: 2n });
    const valid = newPayment();
    for (const { state, payment } of byState) {
      await bringTo(ledger, payment, state);
      await age(bed, payment);
    }
    await bringTo(ledger, young, "delivered");
    await bringTo(ledger, valid, "delivered");
    await age(bed, valid);
    const retention = { paymentsMs: 60_000, unusedMs: 60_000, identifiersMs: Infinity };
    while (await ledger.upkeep.prune(retention, 2));
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
    const free = { kind: "free" };
    assert.deepEqual(await identifiers.find(key, a, "request"), free);
    assert.deepEqual(await identifiers.find(key, b, "other"), free, "a look leaves nothing behind");
    const hold = await reserve(ledger, first);
    assert.equal(await identifiers.claim(key, a, "request"), true);
    assert.equal(await identifiers.claim(key, a, "request"), true, "once more");
    const same = { kind: "same_request", paymentId: a };
    assert.deepEqual(await identifiers.find(key, b, "request"), same);
    assert.deepEqual(await identifiers.find(key, b, "other"), { kind: "conflict" });
    assert.equal(await identifiers.claim(key, b, "request"), false);
    await ledger.payments.move(hold, "verified", { executions: 1 });
    assert.deepEqual(await identifiers.find(key, a, "other"), { kind: "conflict" });
    await ledger.payments.move(hold, "released");
    assert.deepEqual(await identifiers.find(key, b, "other"), free, "never charged");
    await reserve(ledger, second);
    assert.equal(await identifiers.claim(key, b, "other"), true);
    assert.deepEqual(await identifiers.find(key, a, "request"), { kind: "conflict" });
  },

  "an identifier whose payment was removed for its age is not charged again": async (
    { ledger, database },
  ) => {
    const payment = newPayment();
    const key = `key ${payment.nonce}`;
    await bringTo(ledger, payment, "delivered");
    assert.equal(await ledger.identifiers.claim(key, paymentKey(payment), "request"), true);
    await database.query("DELETE FROM payments WHERE nonce = ?", [payment.nonce]);
    const other = paymentKey(newPayment());
    assert.equal(await ledger.identifiers.claim(key, other, "request"), false);
    assert.equal((await ledger.identifiers.find(key, other, "request")).kind, "same_request");
  },

  "of 32 payments under one identifier at once, one is charged": async ({ ledger, replica }) => {
    const key = `key ${crypto.randomUUID()}`;
    const claims = await Promise.all(
      Array.from({ length: 32 }, async (_, i) => {
        const payment = newPayment();
        const one = i % 2 ? ledger : replica;
        await reserve(one, payment);
        return await one.identifiers.claim(key, paymentKey(payment), "request");
      }),
    );
    assert.equal(claims.filter((claimed) => claimed).length, 1);
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

/** As if it had been begun and ended long ago. */
async function age({ database }: LedgerBed, { nonce }: NewPayment): Promise<void> {
  const values = [nonce];
  await database.query(
    "UPDATE payments SET created_at = 1, updated_at = 1 WHERE nonce = ?",
    values,
  );
}
