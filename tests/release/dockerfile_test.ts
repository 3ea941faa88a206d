/**
 * The image, without an engine that builds images: its Dockerfile is carried out line by line in a
 * folder, with the files that git has and .dockerignore lets through.
 */
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { root } from "../../build/bundle.ts";
import { run } from "../../build/run.ts";
import { version } from "../../version.ts";
import { findBaseRuntime } from "../binary/base_runtime.ts";
import { testUnless } from "../cluster/test_requirement.ts";
import { copyOf, type Stage, stagesOf } from "./dockerfile.ts";

const text = await Deno.readTextFile(join(root, "Dockerfile.distroless"));
const [build, final] = stagesOf(text) as [Stage, Stage];

function all(stage: Stage, name: string): string[] {
  return stage.instructions.filter((it) => it.name === name).map(({ args }) => args);
}

Deno.test("the image: bases pinned by digest, no root, nothing run in it, labels", () => {
  assert.match(build.from, /^docker\.io\/denoland\/deno:2\.9\.6@\$\{DENO_DIGEST\}$/);
  assert.match(final.from, /^gcr\.io\/distroless\/\S+:nonroot@\$\{RUNTIME_DIGEST\}$/);
  assert.ok(!/ARG (DENO|RUNTIME)_DIGEST=/.test(text), "no digest is taken for granted");
  assert.deepEqual(all(final, "USER"), ["65532:65532"]);
  assert.deepEqual(all(final, "RUN"), [], "there is no shell to run it");
  const entrypoint = JSON.parse(all(final, "ENTRYPOINT")[0]!)[0];
  assert.ok(copies(final).some(({ target }) => target === entrypoint), "it is copied there");
  const labels = all(final, "LABEL").join(" ");
  for (const label of ["title", "source", "licenses", "version", "revision"]) {
    assert.match(labels, new RegExp(`org\\.opencontainers\\.image\\.${label}="[^"]+"`));
  }
});

function copies(stage: Stage) {
  return stage.instructions.filter(({ name }) => name === "COPY").map(copyOf);
}

testUnless(
  await findBaseRuntime() === undefined
    ? "no base runtime for `deno compile`: `deno task cluster:assets` gets it"
    : undefined,
  "the image: carried out line by line, its executable runs",
  async () => {
    await using folders = await temporaryFolders();
    const { context, source, image, cache } = folders;
    await writeContext(context);
    for (const { stage, sources, target } of copies(build)) {
      assert.equal(stage, undefined);
      for (const path of sources) await copy(join(context, path), into(source, path, target));
    }
    await offerRuntime(cache);
    const env = { PATH: `${cache}:${Deno.env.get("PATH")}`, DENO_DIR: cache, TARGETARCH: "amd64" };
    for (const command of all(build, "RUN")) {
      await run("sh", ["-c", command], {
        cwd: source,
        env: { ...env, X402_COMMIT: "0123456789ab" },
      });
    }
    for (const { stage, sources, target } of copies(final)) {
      for (const path of sources) {
        const file = path.replace("${EXECUTABLE}", "x402-k8s-operator");
        const from = stage === "build" ? file.replace("/src", source) : join(context, file);
        await copy(from, join(image, target));
      }
    }
    const program = join(image, JSON.parse(all(final, "ENTRYPOINT")[0]!)[0]);
    const said = await run("env", ["--ignore-environment", program, "--version"]);
    assert.match(said, new RegExp(`^x402-k8s-operator ${version} \\(commit 0123456789ab, `));
    assert.deepEqual([...Deno.readDirSync(join(image, "var/lib/x402"))], []);
    await Deno.stat(join(image, "LICENSE"));
  },
);

async function temporaryFolders() {
  const folder = await Deno.makeTempDir({ prefix: "x402-image-" });
  const at = (name: string) => join(folder, name);
  const paths = {
    context: at("context"),
    source: at("src"),
    image: at("image"),
    cache: at("deno"),
  };
  for (const path of Object.values(paths)) await Deno.mkdir(path);
  return { ...paths, [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
}

/** What the builder gets to see: files that are in the repository and not ignored. */
async function writeContext(target: string): Promise<void> {
  const list = await run("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
  });
  const ignored = await dockerignore();
  for (const path of list.split("\0")) {
    if (path === "" || ignored(path)) continue;
    await copy(join(root, path), join(target, path)).catch(ignoreMissing);
  }
}

/** The forms of .dockerignore that ours has: everything but some names, and one suffix. */
async function dockerignore(): Promise<(path: string) => boolean> {
  const lines = (await Deno.readTextFile(join(root, ".dockerignore"))).split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  assert.deepEqual([lines[0], lines.at(-1)], ["*", "**/*_test.ts"]);
  const shown = new Set(lines.slice(1, -1).map((line) => line.replace(/^!/, "")));
  return (path) => !shown.has(path.split("/")[0]!) || path.endsWith("_test.ts");
}

/** As COPY does: into a folder under its own name, what is in a folder without it. */
function into(source: string, path: string, target: string): string {
  if (path.endsWith("/")) return join(source, target);
  return target.endsWith("/") ? join(source, target, path) : join(source, target);
}

async function copy(from: string, to: string): Promise<void> {
  await Deno.mkdir(dirname(to), { recursive: true });
  await run("cp", ["-R", "-T", from, to]);
}

/**
 * A `deno` on the PATH, the runtime where it looks for one that it has downloaded, and the packages
 * that this machine has already.
 */
async function offerRuntime(cache: string): Promise<void> {
  const { denoDir } = JSON.parse(await run(Deno.execPath(), ["info", "--json"]));
  await Deno.symlink(join(denoDir, "npm"), join(cache, "npm"));
  const { deno, denort } = (await findBaseRuntime())!;
  await Deno.symlink(deno, join(cache, "deno"));
  const said = /deno (\S+)/.exec(await run(deno, ["--version"]))![1]!;
  const folder = join(cache, "dl/release", `v${said}`);
  await Deno.mkdir(folder, { recursive: true });
  await Deno.symlink(denort, join(cache, "denort"));
  const zip = join(folder, "denort-x86_64-unknown-linux-gnu.zip");
  await run("python3", ["-m", "zipfile", "-c", zip, "denort"], { cwd: cache });
}

function ignoreMissing(error: unknown): void {
  if (!String(error).includes("cannot stat")) throw error;
}
