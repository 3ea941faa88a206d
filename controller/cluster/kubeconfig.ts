import type { KubeConfig } from "@kubernetes/client-node";
import type { RequestOptions } from "node:https";
import type { KubeConnection } from "./connection.ts";

/**
 * A context of kubeconfig files, for use outside a cluster: tokens, client certificates and exec
 * plugins. Of several files the first one that says something wins, as with kubectl.
 *
 * @param context the current one unless given
 * @throws {Error} in one sentence for the user, for what is wrong or cannot be done
 */
export async function kubeconfigConnection(
  files: readonly string[],
  context?: string,
): Promise<KubeConnection> {
  const where = files.join(", ");
  let config = await load(files, context);
  let refused = false;
  const { server, namespace } = checked(config, where);
  const client = httpClient(await authenticated(config, where), where);
  return {
    server,
    namespace,
    client,
    async headers() {
      // Also because a KubeConfig keeps the token of an exec plugin for as long as it lives.
      if (refused) config = await load(files, context);
      refused = false;
      const { headers = {} } = await authenticated(config, where);
      return Object.entries(headers).map(([name, value]) => [name, `${value}`]);
    },
    forgetHeaders() {
      refused = true;
    },
  };
}

async function load(files: readonly string[], context?: string): Promise<KubeConfig> {
  const { KubeConfig } = await loadClient();
  const merged = new KubeConfig();
  for (const file of files) {
    try {
      const config = new KubeConfig();
      config.loadFromFile(file);
      merged.mergeConfig(config, merged.currentContext !== undefined);
    } catch (error) {
      throw new Error(`Cannot use the kubeconfig ${file}: ${firstLine(error)}.`, { cause: error });
    }
  }
  if (context !== undefined) merged.setCurrentContext(context);
  return merged;
}

/** Only now: it takes 75 MiB of memory, which no replica in a cluster has to pay for. */
async function loadClient() {
  try {
    return await import("@kubernetes/client-node");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
    const what = "Kubeconfigs may start programs, which this executable may not do";
    throw new Error(`${what}: take x402-k8s-operator-cli.`, { cause: error });
  }
}

/** The server and namespace of the current context, if native fetch can do all that it asks for. */
function checked(config: KubeConfig, where: string): { server: string; namespace: string } {
  const context = config.getContextObject(config.currentContext);
  if (context === null) {
    const names = config.contexts.map(({ name }) => name).join(", ") || "none";
    throw new Error(
      `There is no context "${config.currentContext ?? ""}" in ${where}; there is: ${names}.`,
    );
  }
  const cluster = config.getCurrentCluster();
  const user = config.getCurrentUser();
  if (cluster === null) {
    throw new Error(`There is no cluster "${context.cluster}" in ${where}, as its context says.`);
  }
  if (user === null) throw new Error(`There is no user "${context.user}" in ${where}.`);
  const refuse = (what: string, instead: string) => {
    throw new Error(`The context "${context.name}" in ${where} has ${what}; ${instead}.`);
  };
  if (!cluster.server.startsWith("https://")) {
    refuse(`the server ${cluster.server}`, "it has to be an https:// address");
  }
  if (cluster.skipTLSVerify) {
    refuse("insecure-skip-tls-verify", "give the cluster's certificate-authority instead");
  }
  if (cluster.tlsServerName) {
    refuse("tls-server-name", "use a server address that its certificate is for");
  }
  if (cluster.proxyUrl) refuse("proxy-url", "set HTTPS_PROXY in the environment instead");
  if (user.username) refuse("a user with a password", "API servers take no passwords any more");
  if (!user.token && !user.exec && !user.authProvider && !user.certData && !user.certFile) {
    refuse("a user without a token, client certificate or exec plugin", "add one of these");
  }
  return { server: cluster.server, namespace: context.namespace ?? "default" };
}

/** The TLS files' contents (PEM) and headers; starts an exec plugin when its token is too old. */
async function authenticated(config: KubeConfig, where: string): Promise<RequestOptions> {
  const options: RequestOptions = {};
  try {
    await config.applyToHTTPSOptions(options);
  } catch (error) {
    throw new Error(`The credentials in ${where} cannot be used: ${firstLine(error)}.`, {
      cause: error,
    });
  }
  return options;
}

function httpClient({ ca, cert, key }: RequestOptions, where: string): Deno.HttpClient {
  try {
    return Deno.createHttpClient({
      http2: false,
      ...(ca ? { caCerts: [`${ca}`] } : {}),
      ...(cert && key ? { cert: `${cert}`, key: `${key}` } : {}),
    });
  } catch (error) {
    throw new Error(`The certificates in ${where} cannot be used: ${firstLine(error)}.`, {
      cause: error,
    });
  }
}

/** The lines after it may show a part of the file, with a secret in it. */
function firstLine(error: unknown): string {
  return (error as Error).message.trim().split("\n", 1)[0]!;
}
