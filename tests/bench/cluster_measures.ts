import type { KubeAdmin } from "../cluster/kube_admin.ts";
import type { Live } from "../cluster/kube_kinds.ts";
import type { OperatorProcess } from "../cluster/operator_process.ts";
import { GatewayClient } from "./cluster_gateway_client.ts";
import { apiCalls, startOf, untilReady } from "./cluster_operator.ts";
import { type Answers, Probe } from "./cluster_probe.ts";
import { firstPrice, forEachShop, ingressOf, routeOf, type Shop, tokens } from "./cluster_shops.ts";
import { ClusterWatch } from "./cluster_watch.ts";
import { cpuSeconds, peakRssMiB, rssMiB } from "./process_usage.ts";

/** Ms for which requests go on being sent after a start. */
const afterSettled = 2_000;

const annotation = "x402.io/original-backends";

/** What the measures have in common. */
export interface Bench {
  readonly admin: KubeAdmin;
  readonly shops: readonly Shop[];
  readonly routes: ClusterWatch<"X402Route">;
  readonly ingresses: ClusterWatch<"Ingress">;
}

/** Durations in ms. */
export interface Durations {
  readonly samples: number;
  readonly min: number;
  readonly median: number;
  readonly p99: number;
  readonly max: number;
}

export interface ColdStart {
  /** Seconds from the start of the process on. */
  readonly readySeconds: number;
  readonly patchedSeconds: number;
  /** Until every X402Route says Ready. */
  readonly settledSeconds: number;
  readonly cpuSeconds: number;
  readonly peakRssMiB: number;
  readonly apiCalls: Record<string, number>;
  readonly answers: Answers;
}

export function isPatched({ metadata, spec }: Live<"Ingress">): boolean {
  const backends = spec?.rules?.[0]?.http?.paths?.map(({ backend }) => backend.service?.name);
  return metadata.annotations?.[annotation] !== undefined && backends?.[0] === "x402-gateway" &&
    backends[1] === "api";
}

function isSettled({ metadata, status }: Live<"X402Route">): boolean {
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  return ready?.status === "True" && ready.observedGeneration === metadata.generation;
}

/** From the start of the process to a settled cluster, with requests all the while. */
export async function coldStart(bench: Bench, operator: OperatorProcess): Promise<ColdStart> {
  const { shops, routes, ingresses } = bench;
  const started = await startOf(operator);
  const since = (time: number) => Math.max(time - started, 0) / 1000;
  const probe = new Probe(operator.gatewayUrl, shops);
  try {
    const [readyAt, patchedAt, settledAt] = await Promise.all([
      untilReady(operator).then((time) => (probe.expectAll(), time)),
      ingresses.untilAll(shops.length, isPatched),
      routes.untilAll(shops.length, isSettled),
    ]);
    const figures = {
      readySeconds: since(readyAt),
      patchedSeconds: since(patchedAt),
      settledSeconds: since(settledAt),
      cpuSeconds: await cpuSeconds(operator.pid),
      peakRssMiB: await peakRssMiB(operator.pid),
      apiCalls: Object.fromEntries(await apiCalls(operator)),
    };
    await pause(afterSettled);
    return { ...figures, answers: await probe.stop() };
  } finally {
    await probe.stop();
  }
}

/** What an operator does that has nothing to do, in `seconds`. */
export async function steadyState(operator: OperatorProcess, seconds: number) {
  const [callsBefore, cpuBefore] = [await apiCalls(operator), await cpuSeconds(operator.pid)];
  await pause(seconds * 1000);
  const [calls, cpu] = [await apiCalls(operator), await cpuSeconds(operator.pid)];
  const news = [...calls].map(([key, count]) => [key, count - (callsBefore.get(key) ?? 0)] as const)
    .filter(([, count]) => count > 0);
  const writes = news.filter(([key]) => !/^(get|list|watch) |leases$/.test(key))
    .reduce((sum, [, count]) => sum + count, 0);
  return { seconds, writes, cpuSeconds: cpu - cpuBefore, apiCalls: Object.fromEntries(news) };
}

/** From just before a price is changed at the API server to the first 402 with the new one. */
export async function priceChanges(
  { admin, shops }: Bench,
  operator: OperatorProcess,
  samples: number,
): Promise<Durations> {
  using gateway = new GatewayClient(operator.gatewayUrl);
  const times: number[] = [];
  for (let sample = 0; sample < samples; sample++) {
    const shop = shops[(sample * 37) % shops.length]!;
    const price = firstPrice + 1 + sample;
    await gateway.price(shop);
    const started = performance.now();
    const patching = admin.patch("X402Route", shop, {
      spec: { payment: { defaultPrice: tokens(price) } },
    });
    while (await gateway.price(shop) !== price) await pause(1);
    times.push(performance.now() - started);
    await patching;
    // Not always at the same moment of what the operator does about the last one.
    await pause(Math.random() * 100);
  }
  return durationsOf(times);
}

/** From just before an author applies the original Ingress again until it is patched again. */
export async function reapplications(
  { admin, shops, ingresses }: Bench,
  samples: number,
): Promise<Durations> {
  const times: number[] = [];
  for (const shop of shops.slice(0, samples)) {
    const key = `${shop.namespace}/${shop.name}`;
    const started = performance.now();
    const { metadata } = await admin.apply(ingressOf(shop));
    const isNewer = (version: string) => BigInt(version) > BigInt(metadata.resourceVersion);
    const patchedAt = await ingresses.untilAll(
      shops.length,
      (live) =>
        `${live.metadata.namespace}/${live.metadata.name}` !== key ||
        isNewer(live.metadata.resourceVersion) && isPatched(live),
    );
    times.push(patchedAt - started);
  }
  return durationsOf(times);
}

/** Deletes all X402Routes; resolves with the seconds until all Ingresses are as they were. */
export async function deleteAll({ admin, shops, routes, ingresses }: Bench): Promise<number> {
  const originals = new Map(shops.map((shop) => {
    const { metadata: { namespace, name }, spec } = ingressOf(shop);
    return [`${namespace}/${name}`, JSON.stringify(sorted(spec))];
  }));
  const started = performance.now();
  const namespaces = new Set(shops.map(({ namespace }) => namespace));
  const deleting = Promise.all(
    [...namespaces].map((namespace) => admin.deleteAll("X402Route", namespace)),
  );
  const times = await Promise.all([
    ingresses.untilAll(
      shops.length,
      ({ metadata: { namespace, name, annotations }, spec }) =>
        annotations?.[annotation] === undefined &&
        JSON.stringify(sorted(spec)) === originals.get(`${namespace}/${name}`),
    ),
    routes.untilAll(0, () => true),
  ]);
  await deleting;
  return (Math.max(...times) - started) / 1000;
}

/** Resident set of an operator that has nothing to do, `seconds` after everything was settled. */
export async function restingRss(
  { shops, routes }: Bench,
  operator: OperatorProcess,
  seconds: number,
): Promise<number> {
  await untilReady(operator);
  await routes.untilAll(shops.length, isSettled);
  await pause(seconds * 1000);
  return await rssMiB(operator.pid);
}

/** Creates what is missing of the shops. */
export async function openShops(admin: KubeAdmin, shops: readonly Shop[]): Promise<void> {
  await forEachShop(shops, async (shop) => {
    await admin.apply(ingressOf(shop));
    await admin.create(routeOf(shop));
  });
}

function durationsOf(times: readonly number[]): Durations {
  const ordered = times.toSorted((a, b) => a - b);
  const at = (share: number) => ordered[Math.ceil(ordered.length * share) - 1]!;
  return {
    samples: times.length,
    min: ordered[0]!,
    median: at(0.5),
    p99: at(0.99),
    max: ordered.at(-1)!,
  };
}

/** With the fields of all objects in alphabetical order. */
function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  const fields = Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1);
  return Object.fromEntries(fields.map(([name, inner]) => [name, sorted(inner)]));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
