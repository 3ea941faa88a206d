import assert from "node:assert/strict";
import {
  ada,
  onLedger,
  payments,
  printed,
  transaction,
  usdc,
} from "../tests/support/payments_command.ts";

Deno.test("payments show: by id, nonce and transaction, in upper case too", async () => {
  await onLedger(payments, async (run) => {
    const id = `${usdc.network}/${usdc.asset}/eip3009/${ada}/0xa1`;
    for (const text of [id, "0xa1", "0xA1", id.toUpperCase()]) {
      const text1 = printed(await run("show", text));
      assert.match(text1, /^state +delivered$/m);
      assert.match(text1, /^price +0\.000001$/m);
      assert.match(text1, /^amount +1$/m);
      assert.match(text1, new RegExp(`^transaction +${transaction}$`, "m"));
      assert.doesNotMatch(text1, /^reason/m, "what is not known is left out");
    }
    const both = printed(await run("show", transaction.toUpperCase().replace("0X", "0x")));
    assert.deepEqual(both.match(/^nonce .*$/gm)?.map((line) => line.split(/ +/)[1]), [
      "0xa1",
      "0xb2",
    ]);
    const none = await run("show", "0xdd");
    assert.deepEqual([none.code, none.stdout], [1, ""]);
    assert.equal(
      none.stderr,
      "error: no payment in the ledger has the id, nonce or transaction 0xdd\n",
    );
  });
});
