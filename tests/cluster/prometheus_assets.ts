/** promtool, and what tells what PromQL expressions are about: for the tests of dashboard and alerts. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { cachedBuild, goBuild, madeOnce } from "./build_once.ts";
import { startsHere } from "./debian_package.ts";

/** Pins the version of Prometheus. */
const module = new URL("assets_prometheus/", import.meta.url);

const packages = {
  promtool: "github.com/prometheus/prometheus/cmd/promtool",
  expressions: "./expressions",
} as const;

export type PrometheusPrograms = Readonly<Record<keyof typeof packages, string>>;

/**
 * What to run: `PROMTOOL_BIN` and `PROMQL_EXPRESSIONS_BIN` where they are set, else those in our
 * cache; `undefined` when one is missing.
 */
export async function findPrometheus(): Promise<PrometheusPrograms | undefined> {
  const promtool = Deno.env.get("PROMTOOL_BIN") || join(cached(), "promtool");
  const expressions = Deno.env.get("PROMQL_EXPRESSIONS_BIN") || join(cached(), "expressions");
  const both = [startsHere(promtool, "--version"), startsHere(expressions, "--version")];
  return (await Promise.all(both)).every((starts) => starts)
    ? { promtool, expressions }
    : undefined;
}

/**
 * The same; where one is missing both are built by `go` (about two minutes) into our cache.
 * @throws {Error} when there is no `go`, or the build fails
 */
export async function getPrometheus(
  say: (line: string) => Promise<void>,
): Promise<PrometheusPrograms> {
  const find = async () => await findPrometheus() && cached();
  await madeOnce(cached(), find, async (target) => {
    await say(`Building promtool ${version()}, once (about 2 minutes).`);
    for (const [program, path] of Object.entries(packages)) {
      await build(path, join(target, program));
    }
  });
  return (await findPrometheus())!;
}

/** Our own program is part of what a build is of. */
function cached(): string {
  const source = Deno.readFileSync(new URL("expressions/main.go", module));
  const hash = createHash("sha256").update(source).digest("hex").slice(0, 8);
  return cachedBuild("prometheus", `${version()}-${hash}`, module);
}

/** Such as `v0.316.0`, which is Prometheus 3.16.0. */
function version(): string {
  const text = Deno.readTextFileSync(new URL("go.mod", module));
  return /prometheus\/prometheus (v[\d.]+)/.exec(text)![1]!;
}

async function build(path: string, output: string): Promise<void> {
  // Service discovery is half of promtool, the clients of all clouds, and nothing here looks for any.
  const job = { module, package: path, linkerFlags: "-s -w", tags: "remove_all_sd", output };
  const built = await goBuild(job).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error(
      "promtool is not there and go, which could build it, is not on the PATH; install Go 1.26, " +
        "or set PROMTOOL_BIN and PROMQL_EXPRESSIONS_BIN to the programs.",
    );
  });
  if (!built) throw new Error(`go could not build ${path}; its message is above.`);
}
