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

Deno.test("a change counts once the writing has ceased, however long that takes", async () => {
  await using watched = await watch(never);
  await watched.next();
  const change = watched.next();
  const file = join(watched.folder, "a.yaml");
  let written = 0;
  const writer = setInterval(() => Deno.writeTextFileSync(file, `${written++}`), 15);
  assert.equal(await Promise.race([change, quiet(200)]), "quiet");
  clearInterval(writer);
  const stopped = performance.now();
  await change;
  assert.ok(performance.now() - stopped < 100, `${performance.now() - stopped} ms`);
});

Deno.test("files that are no manifests may be written to all the time", async () => {
  await using watched = await watch(never);
  await watched.next();
  const writer = setInterval(() => Deno.writeTextFileSync(join(watched.folder, "a.log"), "a"), 5);
  const change = watched.next();
  assert.equal(await Promise.race([change, quiet(120)]), "quiet");
  Deno.writeTextFileSync(join(watched.folder, "a.yaml"), "a");
  await change;
  clearInterval(writer);
});

Deno.test("a link that is replaced is a change, as in a ConfigMap mount", async () => {
  await using watched = await watch(never);
  await watched.next();
  Deno.symlinkSync("..1", join(watched.folder, "..new"));
  Deno.renameSync(join(watched.folder, "..new"), join(watched.folder, "..data"));
  await watched.next();
});

Deno.test("a change that begins during the look at the one before is told", async () => {
  await using watched = await watch(never);
  const { value: changedAgain } = await watched.next();
  assert.equal(changedAgain!(), false);
  Deno.writeTextFileSync(join(watched.folder, "a.yaml"), "a");
  while (!changedAgain!()) await new Promise((resolve) => setTimeout(resolve, 1));
  await watched.next();
});

Deno.test("a folder that was made again is watched anew", async () => {
  await using watched = await watch(300);
  await watched.next();
  Deno.removeSync(watched.folder);
  await watched.next();
  Deno.mkdirSync(watched.folder);
  // At the latest with the second one it has been looked for.
  await watched.next();
  await watched.next();
  const written = performance.now();
  Deno.writeTextFileSync(join(watched.folder, "a.yaml"), "a");
  await watched.next();
  assert.ok(performance.now() - written < 200, `${performance.now() - written} ms`);
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
