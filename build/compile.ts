/**
 * `deno task compile`: the executables of `flavors` in `dist/`, for this machine, or with
 * `--target NAME` (repeat) in `dist/NAME/`. They carry the bundle and the runtime, nothing else.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { bundle, root } from "./bundle.ts";
import { run } from "./run.ts";

/** What the names of releases and images stand for. */
export const targets: Readonly<Record<string, string>> = {
  "linux-amd64": "x86_64-unknown-linux-gnu",
  "linux-arm64": "aarch64-unknown-linux-gnu",
  "darwin-arm64": "aarch64-apple-darwin",
};

/** One executable. */
interface Flavor {
  /** The set in `deno.json` that it may do. */
  readonly permissions: "server" | "cli";
  /** Decided for good when it is made: a finished executable looks at no `OTEL_DENO`. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The same program with different rights, by the name of the file. */
export const flavors: Readonly<Record<string, Flavor>> = {
  /** For servers: it starts no programs and sees no variables but its own. */
  "x402-k8s-operator": { permissions: "server" },
  /** For people: kubeconfigs and `plan -k` start programs, which get the whole environment. */
  "x402-k8s-operator-cli": { permissions: "cli" },
  /** For servers whose requests are to be traced; metrics and logs stay what they are. */
  "x402-k8s-operator-tracing": {
    permissions: "server",
    env: { OTEL_DENO: "true", OTEL_DENO_METRICS: "false", OTEL_DENO_CONSOLE: "ignore" },
  },
};

const flags = [
  ...["--quiet", "--no-check", "--no-prompt", "--unstable-net"],
  // Where manifests, secrets and ledgers are is not known yet; servers give up writing.
  ...["--allow-read", "--allow-write"],
  // It would lie in the temporary folder, under a name that others can guess.
  "--no-code-cache",
  // Half the memory under load (172 instead of 340 MiB) at no measurable cost.
  "--v8-flags=--max-semi-space-size=4",
];

/** For `deno compile`, without the target. */
export function compileArguments(name: string, main: string, output: string): string[] {
  return [`-P=${flavors[name]!.permissions}`, ...flags, "--output", output, main];
}

async function compile(main: string, target: string | undefined): Promise<void> {
  const folder = join(root, "dist", target ?? "");
  const platform = target === undefined ? [] : ["--target", platformOf(target)];
  for (const [name, { env = {} }] of Object.entries(flavors)) {
    const output = join(folder, name);
    const args = [...platform, ...compileArguments(name, main, output)];
    await run(Deno.execPath(), ["compile", ...args], { cwd: root, env: { ...untraced, ...env } });
    const mebibytes = (await Deno.stat(output)).size / 2 ** 20;
    say(`${output.slice(root.length)}: ${mebibytes.toFixed(0)} MiB`);
  }
}

/** What the one who compiles has set must not end up in the executable. */
const untraced = { OTEL_DENO: "false" };

/** @throws {Error} for a name that is none of `targets` */
function platformOf(target: string): string {
  const platform = targets[target];
  if (platform !== undefined) return platform;
  throw new Error(`--target ${target}: give ${Object.keys(targets).join(", ")}.`);
}

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

if (import.meta.main) {
  const { values } = parseArgs({
    args: Deno.args,
    options: { target: { type: "string", multiple: true } },
  });
  const { target: wanted } = values;
  if (wanted !== undefined && Deno.env.get("DENORT_BIN")) {
    throw new Error(
      "DENORT_BIN would be the runtime of every target: unset it, or give no target.",
    );
  }
  const main = await bundle();
  for (const target of wanted ?? [undefined]) await compile(main, target);
}
