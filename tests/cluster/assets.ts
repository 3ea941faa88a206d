/** Where kube-apiserver and etcd, which the cluster tests run, are found. */
import { join } from "node:path";
import { cachedBuild } from "./build_once.ts";

/** Pins the versions of both programs. */
export const goModule = new URL("assets/", import.meta.url);

export const programs = ["etcd", "kube-apiserver"] as const;

/** The folder with both programs: `KUBEBUILDER_ASSETS` where it has them, else our cache. */
export async function findAssets(): Promise<string | undefined> {
  for (const folder of [Deno.env.get("KUBEBUILDER_ASSETS"), cachedAssets()]) {
    if (folder && (await missingPrograms(folder)).length === 0) return folder;
  }
  return undefined;
}

/** Those of the programs that are not in `folder`. */
export async function missingPrograms(folder: string): Promise<string[]> {
  const there = await Promise.all(
    programs.map((program) =>
      Deno.stat(join(folder, program)).then((it) => it.isFile, () => false)
    ),
  );
  return programs.filter((_, index) => !there[index]);
}

/** One folder per content of go.mod and go.sum. */
export function cachedAssets(): string {
  return cachedBuild("kube-assets", kubernetesVersion(), goModule);
}

/** Such as `v1.37.2`. */
export function kubernetesVersion(): string {
  const text = Deno.readTextFileSync(new URL("go.mod", goModule));
  return /k8s\.io\/kubernetes (v[\d.]+)/.exec(text)![1]!;
}
