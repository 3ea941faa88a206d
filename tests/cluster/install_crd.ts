import { parse } from "yaml";
import type { KubeAdmin, Manifest } from "./kube_admin.ts";
import { ApiError } from "./kube_http.ts";

const manifest = new URL("../../crd/x402route.yaml", import.meta.url);

/** How long a CRD may take to be served, in ms: usually 2 s. */
const deadline = 15_000;

/** Before the path is known, and while "storage is (re)initializing". */
const notYet = [404, 429];

/** Applies crd/x402route.yaml and resolves when X402Routes can be created. */
export async function installCrd(admin: KubeAdmin): Promise<void> {
  const crd: Manifest = parse(await Deno.readTextFile(manifest));
  await admin.apply(crd);
  await admin.waitUntil("CustomResourceDefinition", crd.metadata, (live) => {
    const conditions = live?.status?.conditions ?? [];
    return conditions.some(({ type, status }) => type === "Established" && status === "True");
  });
  // For a while it is not, and nothing tells when that ends.
  const end = performance.now() + deadline;
  while (!await isServed(admin)) {
    if (performance.now() > end) throw new Error(`X402Route is not served after ${deadline} ms.`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function isServed(admin: KubeAdmin): Promise<boolean> {
  try {
    await admin.list("X402Route");
    return true;
  } catch (error) {
    if (error instanceof ApiError && notYet.includes(error.status)) return false;
    throw error;
  }
}
