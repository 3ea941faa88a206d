/** The Helm chart, as the tests of it see it. */
import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";
import type { CommandOutput } from "../support/run_command.ts";
import { findHelm } from "./helm_assets.ts";
import { findMonitoringCrds } from "./monitoring_crds.ts";
import { missingAssets, runOnSharedServer, serverTest, type TestCluster } from "./test_cluster.ts";
import { testUnless } from "./test_requirement.ts";

export const chart = fileURLToPath(new URL("../../deploy/chart/", import.meta.url));
export const releaseName = "x402-k8s-operator";

/** An object that the chart makes. */
export interface Rendered {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  // deno-lint-ignore no-explicit-any
  readonly [field: string]: any;
}

const missingHelm = await findHelm() === undefined || await findMonitoringCrds() === undefined
  ? "Helm is not there; get it with `deno task cluster:assets`."
  : undefined;

/** A test that runs Helm. */
export function helmTest(name: string, fn: () => Promise<void>): void {
  testUnless(missingHelm, name, fn);
}

/** A test that runs Helm against the API server that all tests of the run share. */
export function helmClusterTest(name: string, fn: (cluster: TestCluster) => Promise<void>): void {
  testUnless(missingHelm ?? missingAssets, name, () => runOnSharedServer(fn));
}

/** A test that runs Helm against an API server of its own, with the CRD on it. */
export function helmServerTest(name: string, fn: (cluster: TestCluster) => Promise<void>): void {
  if (missingHelm === undefined) serverTest(name, fn);
  else testUnless(missingHelm, name, () => Promise.resolve());
}

/** The values that are tried, as files of `ci/`: the chart works with each. */
export function valueFiles(): string[] {
  return [...Deno.readDirSync(`${chart}ci`)].map(({ name }) => name).sort();
}

/** Runs Helm to its end, with none of the settings of who runs the test. */
export async function helm(...args: string[]): Promise<CommandOutput> {
  const home = await Deno.makeTempDir({ prefix: "x402-helm-" });
  try {
    const { code, stdout, stderr } = await new Deno.Command((await findHelm())!, {
      args,
      clearEnv: true,
      env: { HOME: home },
      stdin: "null",
    }).output();
    const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code, stdout: decode(stdout), stderr: decode(stderr) };
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

/**
 * What the chart makes, hooks included.
 * @param args such as `--set replicas=2`, or `-f` and a file
 * @throws {Error} with Helm's message
 */
export async function render(namespace: string, ...args: string[]): Promise<Rendered[]> {
  const { code, stdout, stderr } = await template(namespace, ...args);
  if (code !== 0) throw new Error(stderr);
  return manifestsOf(stdout);
}

export function template(namespace: string, ...args: string[]): Promise<CommandOutput> {
  return helm("template", releaseName, chart, "--namespace", namespace, ...args);
}

export function manifestsOf(text: string): Rendered[] {
  return parseAllDocuments(text).map((document) => {
    if (document.errors.length > 0) throw document.errors[0];
    return document.toJS() as Rendered | null;
  }).filter((it) => it !== null);
}

/** The first object of this kind. */
export function only(rendered: readonly Rendered[], kind: string): Rendered {
  const found = rendered.find((it) => it.kind === kind);
  if (found === undefined) throw new Error(`The chart makes no ${kind}.`);
  return found;
}
