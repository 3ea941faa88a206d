import assert from "node:assert/strict";
import { Turns } from "./turns.ts";

Deno.test("turns come in order, and who has left the queue gets none", async () => {
  const turns = new Turns(1);
  const never = new AbortController().signal;
  const done: string[] = [];
  const hold = Promise.withResolvers<void>();
  const first = turns.take(() => hold.promise, never);
  const leaving = new AbortController();
  const left = turns.take(() => Promise.resolve(void done.push("left")), leaving.signal);
  const others = ["second", "third"].map((name) =>
    turns.take(() => Promise.resolve(void done.push(name)), never)
  );
  const reason = new Error("enough");
  leaving.abort(reason);
  await assert.rejects(left, reason);
  hold.resolve();
  await Promise.all([first, ...others]);
  assert.deepEqual(done, ["second", "third"]);
  await assert.rejects(turns.take(() => Promise.resolve(), leaving.signal), reason);
});

Deno.test("work that fails gives its turn back", async () => {
  const turns = new Turns(1);
  const never = new AbortController().signal;
  await assert.rejects(turns.take(() => Promise.reject(new Error("no")), never), /^Error: no$/);
  assert.equal(await turns.take(() => Promise.resolve("yes"), never), "yes");
});
