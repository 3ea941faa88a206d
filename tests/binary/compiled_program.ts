import { join } from "node:path";
import { root } from "../../build/bundle.ts";
import { run } from "../../build/run.ts";
import { findBaseRuntime } from "./base_runtime.ts";

/** The executables of `build/compile.ts`. */
export type Flavor =
  | "x402-k8s-operator"
  | "x402-k8s-operator-cli"
  | "x402-k8s-operator-tracing";

let compiling: Promise<unknown> | undefined;

/** Path of an executable that `deno task compile` makes, with the runtime that is to be had. */
export async function compiled(flavor: Flavor): Promise<string> {
  const { deno, denort } = (await findBaseRuntime())!;
  const args = ["run", "-A", join(root, "build/compile.ts")];
  compiling ??= run(deno, args, { cwd: root, env: { DENORT_BIN: denort } });
  await compiling;
  return join(root, "dist", flavor);
}

/** Starts `program` in a folder without anything, and with no variables but these. */
export function alone(
  program: string,
  folder: string,
  env: Readonly<Record<string, string>> = {},
): string[] {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  return ["env", "--ignore-environment", `--chdir=${folder}`, ...variables, program];
}
