/** Where kube-apiserver and etcd, which the cluster tests run, are found. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { cacheRoot } from "./cache_root.ts";

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

/** One folder per content of go.mod and go.sum, so that a changed pin is a new build. */
export function cachedAssets(): string {
  const hash = createHash("sha256");
  for (const file of ["go.mod", "go.sum"]) hash.update(Deno.readFileSync(new URL(file, goModule)));
  const { os, arch } = Deno.build;
  const key = [kubernetesVersion(), os, arch, hash.digest("hex").slice(0, 12)];
  return join(cacheRoot(), "kube-assets", key.join("-"));
}

/** Such as `v1.37.2`. */
export function kubernetesVersion(): string {
  const text = Deno.readTextFileSync(new URL("go.mod", goModule));
  return /k8s\.io\/kubernetes (v[\d.]+)/.exec(text)![1]!;
}
