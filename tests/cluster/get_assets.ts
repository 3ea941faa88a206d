/** `deno task cluster:assets`: gets the programs that the tests of clusters and databases run. */
import { join } from "node:path";
import { getPgbouncer, getPostgres } from "../rig/postgres_assets.ts";
import {
  cachedAssets,
  findAssets,
  goModule,
  kubernetesVersion,
  missingPrograms,
  programs,
} from "./assets.ts";
import { getNginx } from "./nginx_assets.ts";

const packages = {
  "etcd": "go.etcd.io/etcd/server/v3",
  "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
} as const;

/**
 * The folder with kube-apiserver and etcd. Where there is none they come from `setup-envtest`, if
 * that is installed, else they are built by `go` (about 8 minutes on two cores), in both cases into
 * our cache. Processes that do this at the same time wait for each other.
 * @throws {Error} when KUBEBUILDER_ASSETS lacks a program, there is no `go`, or the build fails
 */
export async function getAssets(): Promise<string> {
  await refuseIncompleteSetting();
  const folder = cachedAssets();
  await Deno.mkdir(join(folder, ".."), { recursive: true });
  using lock = await Deno.open(`${folder}.lock`, { create: true, write: true });
  await lock.lock(true);
  const found = await findAssets();
  if (found !== undefined) return found;
  const unfinished = await Deno.makeTempDir({ dir: join(folder, ".."), prefix: ".unfinished-" });
  try {
    if (!await copyFromEnvtest(unfinished)) await build(unfinished);
    await Deno.remove(folder, { recursive: true }).catch(ignoreMissing);
    // The folder appears at once and complete: tests look for it without the lock.
    await Deno.rename(unfinished, folder);
    return folder;
  } finally {
    await Deno.remove(unfinished, { recursive: true }).catch(ignoreMissing);
  }
}

async function refuseIncompleteSetting(): Promise<void> {
  const folder = Deno.env.get("KUBEBUILDER_ASSETS");
  if (!folder) return;
  const missing = await missingPrograms(folder);
  if (missing.length === 0) return;
  throw new Error(
    `KUBEBUILDER_ASSETS is ${folder}, which has no ${missing.join(" and no ")}; ` +
      "name a folder with both or unset it.",
  );
}

/** Whether `setup-envtest` is installed and delivered the programs of our minor version. */
async function copyFromEnvtest(target: string): Promise<boolean> {
  const minor = kubernetesVersion().slice(1).split(".", 2).join(".");
  const args = ["use", `${minor}.x`, "-p", "path"];
  try {
    const command = new Deno.Command("setup-envtest", { args, stderr: "inherit" });
    const { success, stdout } = await command.output();
    if (!success) return false;
    const source = new TextDecoder().decode(stdout).trim();
    await Promise.all(programs.map((it) => Deno.copyFile(join(source, it), join(target, it))));
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function build(target: string): Promise<void> {
  for (const program of programs) {
    await say(`Building ${program} ${kubernetesVersion()}, once (about 8 minutes for all).`);
    const args = ["build", "-buildvcs=false", "-trimpath", "-ldflags", linkerFlags()];
    const succeeded = await runGo([...args, "-o", join(target, program), packages[program]]);
    if (!succeeded) throw new Error(`go could not build ${program}; its message is above.`);
  }
}

async function runGo(args: string[]): Promise<boolean> {
  const env = { CGO_ENABLED: "0", GOFLAGS: "-mod=readonly", GOWORK: "off" };
  const output = { stdin: "null", stdout: "inherit", stderr: "inherit" } as const;
  try {
    const command = new Deno.Command("go", { args, cwd: goModule, env, ...output });
    return (await command.output()).success;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error(
      "kube-apiserver and etcd are not there and go, which could build them, is not on the PATH; " +
        "install Go 1.26 or setup-envtest, or set KUBEBUILDER_ASSETS to a folder with both.",
    );
  }
}

/** The version that the API server reports; without these it would be v0.0.0-master. */
function linkerFlags(): string {
  const version = kubernetesVersion();
  const [major, minor] = version.slice(1).split(".");
  const values = {
    gitVersion: version,
    gitMajor: major,
    gitMinor: minor,
    gitTreeState: "archive",
    buildDate: "1970-01-01T00:00:00Z",
  };
  return Object.entries(values).reduce(
    (flags, [name, value]) => `${flags} -X k8s.io/component-base/version.${name}=${value}`,
    "-s -w",
  );
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

async function say(line: string): Promise<void> {
  await Deno.stderr.write(new TextEncoder().encode(`${line}\n`));
}

if (import.meta.main) {
  try {
    await say(`kube-apiserver and etcd: ${await getAssets()}`);
    await say(`nginx: ${await getNginx()}`);
    await say(`PostgreSQL: ${await getPostgres()}`);
    await say(`pgbouncer: ${await getPgbouncer()}`);
  } catch (error) {
    await say((error as Error).message);
    Deno.exit(1);
  }
}
