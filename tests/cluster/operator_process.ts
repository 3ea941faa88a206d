/** The operator under test: `run` in a process of its own, as a pod of the cluster. */
import { ChildProcess } from "../rig/child_process.ts";
import { type LogLine, sourceCommand } from "../rig/gateway_process.ts";
import { operatorAccountDir } from "./operator_account.ts";
import { applyOperatorService, setOperatorAddresses } from "./operator_service.ts";
import type { TestCluster } from "./test_cluster.ts";

export interface OperatorOptions {
  /** Where the operator, its Service and its Lease are. */
  readonly namespace: string;
  /** More flags of `run`. */
  readonly flags?: readonly string[];
  /** The value of `--watch-namespaces`; all namespaces when left out. */
  readonly watchNamespaces?: readonly string[];
  /** Path of a kubeconfig to use instead of a ServiceAccount. */
  readonly kubeconfig?: string;
  /** `HOST:PORT` of the gateway; a free port of 127.0.0.1 when left out. */
  readonly listen?: string;
  /** The program before its first argument: the source, a bundle or a binary. */
  readonly command?: readonly string[];
}

export interface OperatorProcess extends AsyncDisposable {
  /** Without a trailing slash, as the next two. */
  readonly gatewayUrl: string;
  readonly metricsUrl: string;
  readonly probeUrl: string;
  readonly pid: number;
  /** The log so far, from debug on. */
  log(): LogLine[];
  /** The first log line, past or future, with this `msg` (and, if given, for which `where` holds). */
  logged(msg: string, where?: (line: LogLine) => boolean, timeout?: number): Promise<LogLine>;
  /** Resolves when all caches are synced and the first snapshot is in force. */
  waitUntilReady(): Promise<void>;
  /** The text of /metrics. */
  metrics(): Promise<string>;
  /** The sum of all samples of the metric that have these labels; 0 where there is none. */
  metric(name: string, labels?: Readonly<Record<string, string>>): Promise<number>;
  /** Sends the signal, and waits for nothing. */
  kill(signal: Deno.Signal): void;
  /** SIGTERM, then the exit code. */
  stop(): Promise<number>;
}

/**
 * Starts an operator; several in one namespace are replicas. It has not read the cluster yet when
 * this resolves: see `waitUntilReady`. Disposing of it kills it (SIGKILL).
 */
export async function startOperator(
  cluster: TestCluster,
  options: OperatorOptions,
): Promise<OperatorProcess> {
  const { namespace, listen = "127.0.0.1:0", command = sourceCommand, flags = [] } = options;
  await applyOperatorService(cluster, namespace);
  const child = new ChildProcess("operator", [
    ...command,
    "run",
    ...await accessFlags(cluster, options),
    ...["--operator-namespace", namespace, "--listen", listen, "--log-level", "debug"],
    ...["--metrics-listen", "127.0.0.1:0", "--probe-listen", "127.0.0.1:0"],
    ...["--shutdown-delay", "0s"],
    ...flags,
  ], { env: options.kubeconfig === undefined ? podEnvironment(cluster) : {} });
  try {
    const operator = await handleOf(child);
    await setOperatorAddresses(cluster, namespace, ["198.51.100.1"], operator.gatewayUrl);
    return operator;
  } catch (error) {
    await child.stop("SIGKILL");
    throw error;
  }
}

async function accessFlags(cluster: TestCluster, options: OperatorOptions): Promise<string[]> {
  const { namespace, kubeconfig, watchNamespaces } = options;
  const watched = watchNamespaces?.flatMap((name) => ["--watch-namespaces", name]) ?? [];
  if (kubeconfig !== undefined) return [...watched, "--kubeconfig", kubeconfig];
  const directory = await operatorAccountDir(cluster, namespace, watchNamespaces);
  return [...watched, "--service-account-dir", directory];
}

/** What the kubelet sets in every container. */
function podEnvironment({ access }: TestCluster): Record<string, string> {
  const { hostname, port } = new URL(access.url);
  return { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port };
}

async function handleOf(child: ChildProcess): Promise<OperatorProcess> {
  const logged: OperatorProcess["logged"] = (msg, where = () => true, timeout) =>
    child.find((text) => {
      const line = parse(text);
      return line?.msg === msg && where(line) ? line : undefined;
    }, timeout);
  const listening = await logged("gateway listening");
  const metricsUrl = `http://${listening.metrics}`;
  const metrics = async () => await (await fetch(`${metricsUrl}/metrics`)).text();
  return {
    gatewayUrl: `http://${listening.gateway}`,
    metricsUrl,
    probeUrl: `http://${listening.probes}`,
    pid: child.pid,
    log: () => child.lines.map(parse).filter((line) => line !== undefined),
    logged,
    waitUntilReady: async () => void await logged("routes in force"),
    metrics,
    metric: async (name, labels = {}) => sum(await metrics(), name, labels),
    kill: (signal) => Deno.kill(child.pid, signal),
    stop: () => child.stop(),
    // Obeyed also by a process that is suspended.
    [Symbol.asyncDispose]: async () => void await child.stop("SIGKILL"),
  };
}

/** In Prometheus' text format: `name{label="value",...} 1`. */
function sum(text: string, name: string, labels: Readonly<Record<string, string>>): number {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return text.split("\n")
    .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
    .filter((line) => wanted.every((label) => line.includes(label)))
    .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(" "))), 0);
}

function parse(line: string): LogLine | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined; // a warning of the runtime
  }
}
