import { join } from "node:path";
import type { KubeConnection } from "./connection.ts";

/** Where Kubernetes mounts the credentials of a pod's ServiceAccount. */
export const serviceAccountDir = "/var/run/secrets/kubernetes.io/serviceaccount";

/** Milliseconds; the kubelet replaces a token when 80% of its life, 10 minutes at least, are over. */
const rereadAfter = 60_000;

/**
 * The API server of the cluster that this process is a pod of: its address from the environment,
 * and the credentials of the pod's ServiceAccount.
 *
 * @param directory has the files `token`, `ca.crt` and `namespace`
 * @throws {Error} in one sentence for the user, when something of it is missing
 */
export async function inClusterConnection(directory: string): Promise<KubeConnection> {
  const ca = await readFile(join(directory, "ca.crt"));
  const namespace = await readFile(join(directory, "namespace"));
  const token = new TokenFile(join(directory, "token"));
  await token.read();
  return {
    server: `https://${serverHost()}:${variable("KUBERNETES_SERVICE_PORT")}`,
    namespace: namespace.trim(),
    // A watch is one connection each: over HTTP/2 a dead connection would take all of them along.
    client: Deno.createHttpClient({ caCerts: [ca], http2: false }),
    headers: async () => [["authorization", `Bearer ${await token.read()}`]],
    forgetHeaders: () => token.forget(),
  };
}

function serverHost(): string {
  const host = variable("KUBERNETES_SERVICE_HOST");
  return host.includes(":") ? `[${host}]` : host;
}

function variable(name: string): string {
  const value = Deno.env.get(name);
  if (!value) {
    throw new Error(`The environment variable ${name} is not set, as it is in every pod.`);
  }
  return value;
}

/** A token that is replaced from time to time while the process runs. */
class TokenFile {
  #token: string | undefined;
  #freshUntil = -Infinity;

  constructor(private readonly path: string) {}

  async read(): Promise<string> {
    if (this.#token !== undefined && performance.now() < this.#freshUntil) return this.#token;
    try {
      this.#token = (await readFile(this.path)).trim();
    } catch (error) {
      // The one from before may be good for a while yet, and the file be back at the next look.
      if (this.#token === undefined) throw error;
    }
    this.#freshUntil = performance.now() + rereadAfter;
    return this.#token;
  }

  forget(): void {
    this.#freshUntil = -Infinity;
  }
}

async function readFile(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    throw new Error(
      `Cannot read ${path} (${(error as Error).message}); in a pod it is there unless ` +
        `automountServiceAccountToken is false.`,
      { cause: error },
    );
  }
}
