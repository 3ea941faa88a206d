import { setTimeout as pause } from "node:timers/promises";
import { applyWrites } from "../apply_writes.ts";
import { type ClusterState, keyOf, type ObjectName, type RawObject } from "../cluster_state.ts";
import type { ClusterWrite } from "../plan/cluster_write.ts";
import type { IngressChange } from "../plan/ingress_changes.ts";
import { noMemory, plan } from "../plan/plan.ts";
import { readIngressRef } from "../plan/blocked_rules.ts";
import type { KubeClient } from "./kube_client.ts";
import { KubeError } from "./kube_error.ts";
import { readCluster } from "./read_cluster.ts";
import { restoredStatus } from "./restored_status.ts";
import { sendStatus, sendWrite } from "./send_write.ts";

export interface RestoreOptions {
  readonly client: KubeClient;
  /** Empty: all of them. */
  readonly namespaces: readonly string[];
  /** The operator's own Service, which is not to be deleted. */
  readonly own: ObjectName;
  /** Name of the Service in other namespaces; those of other names are known by their labels. */
  readonly serviceName: string;
  /** Writes nothing, and tells what it would write. */
  readonly dryRun: boolean;
  /** Told of each write when it is done. */
  readonly report: (write: RestoreWrite) => void;
  readonly signal: AbortSignal;
}

export type RestoreWrite = Pick<
  ClusterWrite,
  "verb" | "resource" | "namespace" | "name" | "note"
>;

/** What is left to be done by a person; nothing when both lists are empty. */
export interface RestoreOutcome {
  /** Sentences: objects that could not be read or written. */
  readonly failures: readonly string[];
  /** Paths that lead to the gateway, and nobody knows where they led before. */
  readonly unknown: readonly IngressChange[];
}

/** Milliseconds to wait after an API server that says "later". */
const retryMs = 1_000;

/** Each begins with reading everything anew; so often somebody else may have been faster. */
const maxRounds = 10;

/**
 * Puts back every Ingress, and takes away all that the operator has made: what a plan wants when
 * every X402Route is deleted. Needs nothing but the API server, and may be repeated at any time.
 *
 * @throws {KubeError} when the cluster cannot be read
 */
export async function restoreCluster(options: RestoreOptions): Promise<RestoreOutcome> {
  const { client, namespaces, own, dryRun, signal } = options;
  const refusals = new Map<string, string>();
  let failure: string | undefined;
  for (let round = 0; round < maxRounds; round++) {
    if (failure !== undefined) await pause(retryMs, undefined, { signal });
    failure = undefined;
    const { state, refused } = await readCluster(client, namespaces, own);
    if (dryRun) return { failures: refused, unknown: rehearse(state, options) };
    const { writes, unknown } = restoring(state, options);
    const due = writes.filter((write) => !refusals.has(nameOf(write)));
    if (due.length === 0) {
      const refusedStatuses = await tellRestored(state, unknown, refusals, options);
      return { failures: [...refused, ...refusals.values(), ...refusedStatuses], unknown };
    }
    for (const write of due) {
      const error = await send(write, options);
      if (error === undefined || isStale(error)) continue;
      failure = `${nameOf(write)}: ${error.message}`;
      if (!isTransient(error)) refusals.set(nameOf(write), failure);
    }
  }
  failure ??= "Something changes the objects again and again; is an operator running?";
  return { failures: [...refusals.values(), failure], unknown: [] };
}

/** Tells what would be written, in its order; returns what it would come to. */
function rehearse(state: ClusterState, options: RestoreOptions): readonly IngressChange[] {
  const { writes, unknown } = restoring(state, options);
  writes.forEach(options.report);
  if (writes.length > 0) return rehearse(applyWrites(state, writes), options);
  for (const { write } of statusWrites(state, unknown, new Map(), options)) options.report(write);
  return unknown;
}

/** Last of all, because only then it is so; returns what the API server had against it. */
async function tellRestored(
  state: ClusterState,
  unknown: readonly IngressChange[],
  refusals: ReadonlyMap<string, string>,
  options: RestoreOptions,
): Promise<string[]> {
  const { client, report, signal } = options;
  const failures: string[] = [];
  for (const { write, status } of statusWrites(state, unknown, refusals, options)) {
    try {
      await sendStatus(client, write, status, signal);
      report(write);
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      // One that is deleted by now, as with its last finalizer, has no status to be wrong.
      if (error.status !== 404) failures.push(`x402routes ${keyOf(write)}: ${error.message}`);
    }
  }
  return failures;
}

/** Of the X402Routes whose Ingress nothing leads to the gateway any more. */
function statusWrites(
  { routes }: ClusterState,
  unknown: readonly IngressChange[],
  refusals: ReadonlyMap<string, string>,
  { namespaces }: RestoreOptions,
) {
  const stillLed = new Set(unknown.map(keyOf));
  const isPutBack = (ingress: ObjectName) =>
    (namespaces.length === 0 || namespaces.includes(ingress.namespace)) &&
    !stillLed.has(keyOf(ingress)) && !refusals.has(`ingresses ${keyOf(ingress)}`);
  return routes.flatMap((route) => {
    const ingress = readIngressRef(route);
    const update = ingress && isPutBack(ingress) ? restoredStatus(route, new Date()) : undefined;
    if (update === undefined) return [];
    const { namespace, name } = route.metadata;
    const note = "the status says that the Ingress was put back";
    const write: RestoreWrite = { verb: "patch", resource: "x402routes", namespace, name, note };
    return [{ write, status: update.status }];
  });
}

/** What can be written now, and the paths for which nothing can. */
function restoring(state: ClusterState, { own, serviceName }: RestoreOptions) {
  const routes = state.routes.map(asDeleted);
  const gateway = { own, serviceName, port: 1, way: "endpoint-slices" as const };
  const { writes, ingressChanges } = plan(
    { ...state, routes },
    { ...anyOptions, gateway },
    noMemory,
  );
  // Without X402Routes, what still leads to the gateway does so because nobody knows better.
  return { writes: writes.filter(takesAway), unknown: ingressChanges };
}

/** Nothing depends on them where nothing is charged for. */
const anyOptions = {
  allowExternalName: true,
  allowedFacilitatorHosts: [],
  clusterDomain: "cluster.local",
};

function asDeleted({ metadata, ...rest }: RawObject): RawObject {
  return { ...rest, metadata: { ...metadata, deletionTimestamp: new Date().toISOString() } };
}

/** Not what keeps the way to the gateway in order, where something still needs it. */
function takesAway(write: ClusterWrite): boolean {
  return write.verb === "delete"
    ? write.later
    : write.verb === "patch" && write.resource !== "endpointslices";
}

/** Returns what the API server had against it. */
async function send(
  write: ClusterWrite,
  { client, signal, report }: RestoreOptions,
): Promise<KubeError | undefined> {
  try {
    await sendWrite(client, write, signal);
  } catch (error) {
    if (error instanceof KubeError) return error;
    throw error;
  }
  report(write);
}

/** Somebody else was faster: the next round sees what they did. */
function isStale({ status }: KubeError): boolean {
  return status === 404 || status === 409 || status === 410;
}

function isTransient({ status }: KubeError): boolean {
  return status === 0 || status === 429 || status >= 500;
}

function nameOf({ resource, ...name }: ClusterWrite): string {
  return `${resource} ${keyOf(name)}`;
}
