import assert from "node:assert/strict";
import { join } from "node:path";
import { folderChanges } from "./folder_changes.ts";

/** Milliseconds; long enough never to come during a test. */
const never = 600_000;

Deno.test("yields at once, then once for a burst of changes", async () => {
  await using watched = await watch(never);
  await watched.next();
  for (let n = 0; n < 50; n++) Deno.writeTextFileSync(join(watched.folder, `${n}.yaml`), "a");
  await watched.next();
  // Were there a second one for the same burst, it would come before that of this change.
  const written = performance.now();
  Deno.writeTextFileSync(join(watched.folder, "last.yaml"), "a");
  await watched.next();
  assert.ok(performance.now() - written >= 15, "waits until it is quiet");
});

Deno.test("changes without end do not put off the look at them", async () => {
  await using watched = await watch(never);
  await watched.next();
  const started = performance.now();
  const writer = setInterval(() => Deno.writeTextFileSync(join(watched.folder, "a.yaml"), "a"), 5);
  await watched.next();
  clearInterval(writer);
  assert.ok(performance.now() - started < 100, `${performance.now() - started} ms`);
});

Deno.test("looks again now and then, because some changes come without events", async () => {
  await using watched = await watch(30);
  await watched.next();
  await watched.next();
});

Deno.test("a folder that is not there yet is looked for now and then", async () => {
  await using watched = await watch(30, "later");
  await watched.next();
  Deno.mkdirSync(watched.folder);
  await watched.next();
  await watched.next();
});

Deno.test("reading the folder is no change", async () => {
  await using watched = await watch(never);
  await watched.next();
  Deno.writeTextFileSync(join(watched.folder, "a.yaml"), "a");
  await watched.next();
  for (let n = 0; n < 5; n++) Deno.readTextFileSync(join(watched.folder, "a.yaml"));
  const change = watched.next();
  const outcome = await Promise.race([change, quiet(120)]);
  assert.equal(outcome, "quiet");
  watched.stop();
  await change;
});

Deno.test("ends when the signal aborts, also while it waits", async () => {
  await using watched = await watch(never);
  await watched.next();
  const next = watched.next();
  watched.stop();
  assert.equal((await next).done, true);
});

function quiet(ms: number): Promise<"quiet"> {
  return new Promise((resolve) => setTimeout(() => resolve("quiet"), ms));
}

async function watch(rescan: number, subfolder = "") {
  const root = await Deno.makeTempDir();
  const folder = join(root, subfolder);
  const abort = new AbortController();
  const changes = folderChanges(folder, abort.signal, rescan);
  return {
    folder,
    next: () => changes.next(),
    stop: () => abort.abort(),
    async [Symbol.asyncDispose]() {
      abort.abort();
      await changes.next();
      await Deno.remove(root, { recursive: true });
    },
  };
}
