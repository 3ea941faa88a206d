/** `deno task cluster:assets`: gets the programs that the tests of clusters and databases run. */
import { join } from "node:path";
import { getBaseRuntime } from "../binary/base_runtime.ts";
import { getActionlint } from "../release/actionlint_assets.ts";
import { getPgbouncer, getPostgres } from "../rig/postgres_assets.ts";
import {
  cachedAssets,
  findAssets,
  goModule,
  kubernetesVersion,
  missingPrograms,
  programs,
} from "./assets.ts";
import { goBuild, madeOnce } from "./build_once.ts";
import { getHelm } from "./helm_assets.ts";
import { getMonitoringCrds } from "./monitoring_crds.ts";
import { getNginx } from "./nginx_assets.ts";
import { getPrometheus } from "./prometheus_assets.ts";

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
  return await madeOnce(cachedAssets(), findAssets, async (unfinished) => {
    if (!await copyFromEnvtest(unfinished)) await build(unfinished);
  });
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
    const built = await goBuild({
      module: goModule,
      package: packages[program],
      linkerFlags: linkerFlags(),
      output: join(target, program),
    }).catch(tellWithoutGo);
    if (!built) throw new Error(`go could not build ${program}; its message is above.`);
  }
}

function tellWithoutGo(error: unknown): never {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
  throw new Error(
    "kube-apiserver and etcd are not there and go, which could build them, is not on the PATH; " +
      "install Go 1.26 or setup-envtest, or set KUBEBUILDER_ASSETS to a folder with both.",
  );
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

async function say(line: string): Promise<void> {
  await Deno.stderr.write(new TextEncoder().encode(`${line}\n`));
}

/** What can be got, and the line that tells where it is; all of it when nothing is named. */
const assets: Readonly<Record<string, () => Promise<string>>> = {
  "kubernetes": async () => `kube-apiserver and etcd: ${await getAssets()}`,
  "nginx": async () => `nginx: ${await getNginx()}`,
  "promtool": async () => `promtool: ${(await getPrometheus(say)).promtool}`,
  "helm": async () => `Helm: ${(await getHelm(say)).join(", ")}`,
  "monitoring-crds": async () =>
    `CRDs of the Prometheus Operator: ${(await getMonitoringCrds()).join(", ")}`,
  "postgresql": async () => `PostgreSQL: ${await getPostgres()}`,
  "pgbouncer": async () => `pgbouncer: ${await getPgbouncer()}`,
  "actionlint": async () => `actionlint: ${await getActionlint()}`,
  "base-runtime": async () => `base runtime of executables: ${(await getBaseRuntime()).denort}`,
};

if (import.meta.main) {
  const unknown = Deno.args.find((name) => !(name in assets));
  if (unknown !== undefined) {
    await say(`There is no "${unknown}" to get; there is ${Object.keys(assets).join(", ")}.`);
    Deno.exit(2);
  }
  try {
    const names = Deno.args.length > 0 ? Deno.args : Object.keys(assets);
    for (const name of names) await say(await assets[name]!());
  } catch (error) {
    await say((error as Error).message);
    Deno.exit(1);
  }
}
