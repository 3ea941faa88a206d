import { crdManifest } from "../crd/crd_manifest.ts";
import { fieldReference } from "../crd/field_reference.ts";
import { knownNetworks, networksTable } from "../crd/networks_table.ts";
import { chartFiles } from "./chart_files.ts";
import { dashboardFile } from "./dashboard/dashboard.ts";
import { errorReference } from "./error_reference.ts";
import { flagReference } from "./flag_reference.ts";
import { limitsReference } from "./limits_reference.ts";
import { metricsReference } from "./metrics_reference.ts";
import { permissionReference } from "./permission_reference.ts";
import { clusterRoleFile, namespacedRolesFile } from "./role_files.ts";

/** A file that is made from the code or the x402 library, never by hand. */
export interface GeneratedFile {
  /** Relative to the root of the repository. */
  readonly path: string;
  readonly content: string;
}

/** Every generated file as it should be. */
export function generatedFiles(): GeneratedFile[] {
  const networks = knownNetworks();
  return [
    { path: "crd/x402route.yaml", content: crdManifest() },
    { path: "crd/networks.generated.ts", content: networksTable(networks) },
    ...chartFiles(),
    { path: "deploy/chart/dashboards/x402.json", content: dashboardFile() },
    { path: "deploy/rbac/cluster_role.yaml", content: clusterRoleFile() },
    { path: "deploy/rbac/namespaced_roles.yaml", content: namespacedRolesFile() },
    { path: "docs/errors.md", content: errorReference() },
    { path: "docs/flags.md", content: flagReference() },
    { path: "docs/limits.md", content: limitsReference() },
    { path: "docs/metrics.md", content: metricsReference() },
    { path: "docs/permissions.md", content: permissionReference() },
    { path: "docs/x402route.md", content: fieldReference(networks) },
  ];
}

/** Those of `files` that are missing below the folder `root` or differ there. */
export function staleFiles(files: readonly GeneratedFile[], root: URL): GeneratedFile[] {
  return files.filter(({ path, content }) => content !== readIfPresent(new URL(path, root)));
}

function readIfPresent(file: URL): string | undefined {
  try {
    return Deno.readTextFileSync(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
