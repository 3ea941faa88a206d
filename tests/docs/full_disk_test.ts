/** What docs/faults.md says of a ledger whose disk is full. */
import assert from "node:assert/strict";
import { ledgerOn } from "../../store/ledger/ledger.ts";
import { migrate } from "../../store/ledger/migrations.ts";
import { SqliteDatabase } from "../../store/ledger/sqlite_database.ts";
import { startPaidApi } from "../rig/paid_api.ts";
import { signPayment, usdcRequirements } from "../rig/sign_payment.ts";
import { withLedgerFile } from "../support/ledger_file.ts";
import { startScriptedFacilitator } from "../support/scripted_facilitator.ts";
import { rule, snapshotOf, startTestGateway, usdcTerms } from "../support/test_gateway.ts";

Deno.test("a full disk: paid requests are 503 and uncharged, free paths and offers go on", () =>
  withLedgerFile(async (path) => {
    await using api = startPaidApi();
    await using facilitator = startScriptedFacilitator();
    const database = new SqliteDatabase(path);
    await migrate(database);
    const terms = usdcTerms(facilitator.url);
    const rules = [rule("/paid", { kind: "paid", terms }), rule("/free", { kind: "free" })];
    const ledger = ledgerOn(database, "test");
    await using gateway = startTestGateway(snapshotOf(api.url, rules), {}, ledger);
    const get = async (path: string, header?: [string, string]) => {
      const reply = await fetch(gateway.url + path, { headers: header ? [header] : [] });
      return [reply.status, reply.status === 503 ? (await reply.json()).error : await reply.text()];
    };
    const requirements = usdcRequirements(2, terms.amount, terms.payTo);
    const pay = async () => {
      const { header } = await signPayment({ version: 2, buyer: 1, requirements });
      return await get("/paid", header);
    };

    await database.query("CREATE TABLE filler (x BLOB)");
    // No page more than there are (SQLITE_FULL is what a full disk gives), and none of them free.
    const [pages] = await database.query("PRAGMA page_count");
    await database.query(`PRAGMA max_page_count = ${pages!.page_count}`);
    for (let length = 1_000_000; length > 0; length = Math.floor(length / 2)) {
      await fill(database, length);
    }
    // The last pages have place for some rows.
    let served = 0;
    for (;;) {
      const [status, error] = await pay();
      if (status === 200) served++;
      else {
        assert.deepEqual([status, error], [503, "ledger_unavailable"]);
        break;
      }
    }
    assert.deepEqual(await pay(), [503, "ledger_unavailable"]);
    assert.equal((await get("/paid"))[0], 402, "offers go on");
    assert.equal((await get("/free"))[0], 200, "free paths go on");
    assert.equal(facilitator.received["/settle"].length, served, "nothing else is charged");

    await database.query("PRAGMA max_page_count = 1000000");
    assert.equal((await pay())[0], 200, "once there is space again");
  }));

/** Until not even a row of this many bytes fits. */
async function fill(database: SqliteDatabase, length: number): Promise<void> {
  try {
    for (;;) await database.query("INSERT INTO filler VALUES (zeroblob(?))", [length]);
  } catch {
    // full
  }
}
