import assert from "node:assert/strict";
import { join } from "node:path";
import { openLedger } from "./open_ledger.ts";
import { defaultLedgerSettings } from "./payment_ledger.ts";

const options = { sync: "normal", settings: defaultLedgerSettings } as const;

Deno.test("a file that is no ledger is named, and left alone", async () => {
  const folder = await Deno.makeTempDir({ prefix: "x402-ledger-" });
  const text = join(folder, "notes.txt");
  await Deno.writeTextFile(text, "some text, but not that of an SQLite file");
  for (
    const [path, says] of [
      [text, "file is not a database"],
      [folder, "unable to open database file"],
      [join(folder, "none", "ledger.db"), "unable to open database file"],
    ] as const
  ) {
    await assert.rejects(openLedger(path, options), ({ message }: Error) => {
      assert.ok(message.includes(says), message);
      assert.equal(message.split(path).length, 2, message);
      assert.match(message, /; give the path of an SQLite file, or of none yet, in a folder that/);
      return true;
    });
  }
  assert.equal((await Deno.readTextFile(text)).slice(0, 9), "some text");
  await Deno.remove(folder, { recursive: true });
});
