/** Helm and helm-unittest, which the tests of the chart run, and `deno task generate`. */
import { join } from "node:path";
import { cachedBuild, goBuild, madeOnce } from "./build_once.ts";
import { startsHere } from "./debian_package.ts";

/** Pins the versions of both. */
const module = new URL("assets_helm/", import.meta.url);

const packages = {
  "helm": "helm.sh/helm/v3/cmd/helm",
  "helm-unittest": "github.com/helm-unittest/helm-unittest/cmd/helm-unittest",
} as const;

type Program = keyof typeof packages;

/**
 * What to run: `HELM_BIN` where that is set, else the one in our cache; `undefined` when there is
 * none. Not the one on the PATH: what is generated must not depend on its version.
 */
export async function findHelm(): Promise<string | undefined> {
  return await found(Deno.env.get("HELM_BIN") || join(cached(), "helm"), "version");
}

/** The same for helm-unittest, with `HELM_UNITTEST_BIN`. */
export async function findHelmUnittest(): Promise<string | undefined> {
  const program = Deno.env.get("HELM_UNITTEST_BIN") || join(cached(), "helm-unittest");
  return await found(program, "--help");
}

/**
 * Both programs; where one is missing they are built by `go` (about two minutes) into our cache.
 * @throws {Error} when there is no `go`, or the build fails
 */
export async function getHelm(say: (line: string) => Promise<void>): Promise<string[]> {
  const there = async () => await bothPrograms() && cached();
  await madeOnce(cached(), there, async (target) => {
    for (const program of Object.keys(packages) as Program[]) {
      await say(`Building ${program} ${versionOf(program)}, once (about 2 minutes for both).`);
      await build(program, join(target, program));
    }
  });
  const found = await bothPrograms();
  if (found !== undefined) return found;
  throw new Error("HELM_BIN or HELM_UNITTEST_BIN names a program that does not run; unset it.");
}

async function bothPrograms(): Promise<string[] | undefined> {
  const [helm, unittest] = await Promise.all([findHelm(), findHelmUnittest()]);
  return helm === undefined || unittest === undefined ? undefined : [helm, unittest];
}

async function found(program: string, flag: string): Promise<string | undefined> {
  return await startsHere(program, flag) ? program : undefined;
}

function cached(): string {
  return cachedBuild("helm", versionOf("helm"), module);
}

/** As go.mod says, such as `v3.22.0`. */
function versionOf(program: Program): string {
  const text = Deno.readTextFileSync(new URL("go.mod", module));
  const path = packages[program].split("/cmd/")[0]!.replaceAll(".", "\\.");
  return new RegExp(`${path} (v[\\d.]+)`).exec(text)![1]!;
}

async function build(program: Program, output: string): Promise<void> {
  const job = { module, package: packages[program], linkerFlags: linkerFlags(), output };
  const done = await goBuild(job).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error(
      `${program} is not there and go, which could build it, is not on the PATH; install Go 1.26, ` +
        "or set HELM_BIN and HELM_UNITTEST_BIN to the programs.",
    );
  });
  if (!done) throw new Error(`go could not build ${program}; its message is above.`);
}

/** The versions of Helm itself, and of the Kubernetes that it takes for granted without a cluster. */
function linkerFlags(): string {
  const text = Deno.readTextFileSync(new URL("go.mod", module));
  const minor = /k8s\.io\/client-go v0\.(\d+)/.exec(text)![1]!;
  const helm = "helm.sh/helm/v3";
  const values: Readonly<Record<string, string>> = {
    "internal/version.version": versionOf("helm"),
    "pkg/lint/rules.k8sVersionMajor": "1",
    "pkg/lint/rules.k8sVersionMinor": minor,
    "pkg/chartutil.k8sVersionMajor": "1",
    "pkg/chartutil.k8sVersionMinor": minor,
  };
  return Object.entries(values)
    .reduce((flags, [name, value]) => `${flags} -X ${helm}/${name}=${value}`, "-s -w");
}
