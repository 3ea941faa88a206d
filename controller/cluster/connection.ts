import { inClusterConnection } from "./in_cluster.ts";
import { kubeconfigConnection } from "./kubeconfig.ts";

/** Where the API server is, and how to be let in. */
export interface KubeConnection {
  /** `https://HOST:PORT`, maybe with a path, without a slash at the end. */
  readonly server: string;
  /** That of the ServiceAccount, or of the kubeconfig's context. */
  readonly namespace: string;
  readonly client: Deno.HttpClient;
  /** Headers that authenticate a request made now. */
  headers(): Promise<[string, string][]>;
  /** To be called when they were refused (401): they may have been renewed outside since. */
  forgetHeaders(): void;
}

/** Flags that choose the cluster; paths as given on the command line. */
export interface ConnectionFlags {
  readonly kubeconfig?: string | undefined;
  /** Only together with a kubeconfig. */
  readonly context?: string | undefined;
  /** Folder with `token`, `ca.crt` and `namespace`. */
  readonly serviceAccountDir: string;
}

/**
 * The kubeconfig that is named, else the cluster that this process is a pod of, else what kubectl
 * would take: the files of `$KUBECONFIG`, else `~/.kube/config`.
 *
 * @throws {Error} in one sentence for the user, when there is no usable one
 */
export async function findConnection(flags: ConnectionFlags): Promise<KubeConnection> {
  const { kubeconfig, context, serviceAccountDir } = flags;
  if (kubeconfig !== undefined) return await kubeconfigConnection([kubeconfig], context);
  if (Deno.env.get("KUBERNETES_SERVICE_HOST") && context === undefined) {
    return await inClusterConnection(serviceAccountDir);
  }
  return await kubeconfigConnection(usualKubeconfigs(), context);
}

/** Those that exist, as kubectl does it. */
function usualKubeconfigs(): string[] {
  const separator = Deno.build.os === "windows" ? ";" : ":";
  const named = (Deno.env.get("KUBECONFIG") ?? "").split(separator).filter((file) => file !== "");
  const home = Deno.env.get("HOME") ?? Deno.env.get("USERPROFILE") ?? ".";
  const files = named.length > 0 ? named : [`${home}/.kube/config`];
  const found = files.filter(isFile);
  if (found.length === 0) {
    throw new Error(
      `No cluster is configured: this is no pod (no KUBERNETES_SERVICE_HOST), and there is no ${
        files.join(" or ")
      }; name a file with --kubeconfig.`,
    );
  }
  return found;
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
