/** The CRDs of the Prometheus Operator, from its Go module: what the chart makes for it is real. */
import { join } from "node:path";
import { cacheRoot } from "./cache_root.ts";
import { madeOnce } from "./build_once.ts";

const module = "github.com/prometheus-operator/prometheus-operator";
const version = "v0.85.0";
/** As in a go.sum: of the module's files. */
const sum = "h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s=";

const names = ["prometheusrules", "servicemonitors"] as const;

/** The files: in the folder `MONITORING_CRDS` where that is set, else in our cache. */
export async function findMonitoringCrds(): Promise<string[] | undefined> {
  const folder = Deno.env.get("MONITORING_CRDS") || cached();
  const files = names.map((name) => join(folder, `${name}.yaml`));
  const there = files.map((file) => Deno.stat(file).then(({ isFile }) => isFile, () => false));
  return (await Promise.all(there)).every((it) => it) ? files : undefined;
}

/**
 * The same; where they are not there, Go downloads the module (4 MB).
 * @throws {Error} when that is not possible, or when it is not what is pinned
 */
export async function getMonitoringCrds(): Promise<string[]> {
  const there = async () => await findMonitoringCrds() && cached();
  await madeOnce(cached(), there, async (target) => {
    const folder = join(await downloaded(), "example/prometheus-operator-crd");
    for (const name of names) {
      const text = await Deno.readTextFile(join(folder, `monitoring.coreos.com_${name}.yaml`));
      await Deno.writeTextFile(join(target, `${name}.yaml`), text);
    }
  });
  const files = await findMonitoringCrds();
  if (files === undefined) throw new Error("MONITORING_CRDS has no CRDs; name a folder with them.");
  return files;
}

async function downloaded(): Promise<string> {
  const command = new Deno.Command("go", {
    args: ["mod", "download", "-json", `${module}@${version}`],
    // Outside of any module of ours.
    cwd: cacheRoot(),
    env: { GOWORK: "off", GOFLAGS: "-mod=mod" },
  });
  const { stdout } = await command.output().catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error(
      `The CRDs of the Prometheus Operator are not there and go, which could get them, is not on ` +
        "the PATH; install Go 1.26, or set MONITORING_CRDS to a folder with both.",
    );
  });
  const { Dir, Sum, Error: failure } = JSON.parse(new TextDecoder().decode(stdout));
  if (failure !== undefined) throw new Error(`${module}: ${failure}`);
  if (Sum !== sum) throw new Error(`${module}@${version} has the sum ${Sum}, not ${sum}.`);
  return Dir;
}

function cached(): string {
  return join(cacheRoot(), "monitoring-crds", version);
}
