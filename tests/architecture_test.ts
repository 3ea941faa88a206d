/**
 * The rules of ARCHITECTURE.md that can be checked by reading the source: who imports whom, and
 * how long a file may be.
 */
import assert from "node:assert/strict";
import { posix } from "node:path";

const root = new URL("..", import.meta.url);

/** Folder to the folders that it may import, besides itself. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  crd: [],
  store: [],
  controller: ["crd", "store"],
  gateway: ["store"],
  commands: ["crd", "store", "controller", "gateway", "version.ts"],
  "main.ts": ["commands", "version.ts"],
};

/** The only files of a folder that other folders may import. */
const doors: Readonly<Record<string, string>> = {
  controller: "controller/mod.ts",
  gateway: "gateway/mod.ts",
};

const maxLines = 300;

async function* sources(folder = ""): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(new URL(folder || ".", root))) {
    const path = folder + entry.name;
    if (entry.isDirectory && !entry.name.startsWith(".") && entry.name !== "dist") {
      yield* sources(`${path}/`);
    } else if (path.endsWith(".ts")) yield path;
  }
}

function topOf(path: string): string {
  return path.split("/")[0]!;
}

/** Relative imports of a file, as paths from the root; static, dynamic and re-exports. */
async function importsOf(path: string): Promise<string[]> {
  const text = await Deno.readTextFile(new URL(path, root));
  return [...text.matchAll(/(?:\bfrom|\bimport\(?)\s*"(\.[^"]+)"/g)]
    .map(([, specifier]) => posix.join(posix.dirname(path), specifier!));
}

Deno.test("folders import only what ARCHITECTURE.md allows, through the doors", async () => {
  const offences: string[] = [];
  for await (const path of sources()) {
    const from = topOf(path);
    const allowed = mayImport[from];
    if (allowed === undefined || path.endsWith("_test.ts")) continue;
    for (const imported of await importsOf(path)) {
      const to = topOf(imported);
      if (to === from) continue;
      const door = doors[to];
      if (!allowed.includes(to)) offences.push(`${path} imports ${imported}`);
      else if (door !== undefined && imported !== door) {
        offences.push(`${path} imports ${imported}, not through ${door}`);
      }
    }
  }
  assert.deepEqual(offences, []);
});

Deno.test("what is written to a cluster is written in one place, but for the Lease", async () => {
  const writers: string[] = [];
  for await (const path of sources("controller/")) {
    const text = await Deno.readTextFile(new URL(path, root));
    if (path.endsWith("_test.ts")) continue;
    if (/\.request(?:<[^>]*>)?\(\s*"(?:POST|PUT|PATCH|DELETE)"/.test(text)) writers.push(path);
  }
  assert.deepEqual(writers.sort(), [
    "controller/cluster/cluster_writer.ts",
    "controller/cluster/leader_election.ts",
    "controller/cluster/restore_lease.ts",
    "controller/cluster/send_write.ts",
  ]);
});

Deno.test(`no source file has more than ${maxLines} lines`, async () => {
  const offences: string[] = [];
  for await (const path of sources()) {
    if (path.endsWith(".generated.ts")) continue;
    const lines = (await Deno.readTextFile(new URL(path, root))).split("\n").length - 1;
    if (lines > maxLines) offences.push(`${path}: ${lines}`);
  }
  assert.deepEqual(offences, []);
});

Deno.test("the planner runs without any permission", async () => {
  const reachable = new Set<string>();
  const queue = ["controller/plan/plan.ts"];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (reachable.has(path)) continue;
    reachable.add(path);
    queue.push(...await importsOf(path));
  }
  for (const path of reachable) {
    const text = await Deno.readTextFile(new URL(path, root));
    assert.doesNotMatch(text, /\bDeno\.|\bDate\.now\(|new Date\(\)|\bfetch\(|Math\.random/, path);
  }
});
