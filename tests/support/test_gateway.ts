import {
  type FacilitatorPolling,
  type Gateway,
  type GatewaySettings,
  startGateway,
} from "../../gateway/mod.ts";
import { type Ledger, ledgerOn } from "../../store/ledger/ledger.ts";
import { migrate } from "../../store/ledger/migrations.ts";
import type { LedgerSettings } from "../../store/ledger/payment_ledger.ts";
import { SqliteDatabase } from "../../store/ledger/sqlite_database.ts";
import { Logger } from "../../store/log.ts";
import { Metrics } from "../../store/metrics.ts";
import type {
  IngressRules,
  PaymentTerms,
  RouteSnapshot,
  Rule,
} from "../../store/route_snapshot.ts";

const anyPort = { hostname: "127.0.0.1", port: 0 };

const settings: GatewaySettings = {
  listen: anyPort,
  metricsListen: anyPort,
  probeListen: anyPort,
  workers: 1,
  trustedProxies: [],
  corsOrigins: [],
  allowedFacilitatorHosts: [],
  clusterDomain: "cluster.local",
  facilitator: { verifyMs: 2_000, settleMs: 2_000 },
  proxy: {
    connectOrHeadMs: 5_000,
    idleMs: 5_000,
    maxBodyBytes: Infinity,
    maxChunkedBodyBytes: 64 * 2 ** 20,
  },
  front: {
    maxConnections: 1_000,
    headMs: 5_000,
    keepAliveMs: 60_000,
    idleMs: 5_000,
    clientRate: { graceMs: 30_000, bytesPerSecond: 0 },
    maxHeadBytes: 64 * 1024,
    lingerMs: 5_000,
  },
  upstream: {
    transport: "http1",
    connectMs: 5_000,
    caCerts: [],
    maxConnections: 1_000,
    maxWaiting: 1_000,
    maxIdle: 100,
    idleMs: 60_000,
    onceIdleMs: 1_000,
  },
  rates: { unpaid: undefined, invalid: undefined },
  load: { maxInFlight: 10_000, maxLagMs: Infinity },
  accessLog: false,
  rpcUrls: new Map(),
  reconcileMs: 5_000,
  retention: { paymentsMs: Infinity, unusedMs: Infinity, identifiersMs: Infinity },
};

/** A gateway in this process, on free ports, with a log that can be read. */
export interface TestGateway extends AsyncDisposable {
  readonly url: string;
  readonly metricsUrl: string;
  readonly probeUrl: string;
  readonly gateway: Gateway;
  readonly ledger: Ledger;
  /** Log lines so far, parsed. */
  readonly log: Record<string, unknown>[];
}

export function startTestGateway(
  snapshot: RouteSnapshot | undefined,
  changes: Partial<GatewaySettings> = {},
  ledger: Ledger = memoryLedger(),
  polling?: FacilitatorPolling,
): TestGateway {
  const log: Record<string, unknown>[] = [];
  const logger = new Logger("debug", (line) => log.push(JSON.parse(line)));
  const gateway = startGateway(
    { ...settings, ...changes },
    ledger,
    new Metrics(),
    logger,
    polling && { polling },
  );
  if (snapshot !== undefined) gateway.publish(snapshot);
  const urlOf = ({ port }: { port: number }) => `http://127.0.0.1:${port}`;
  return {
    url: urlOf(gateway.addresses.gateway),
    metricsUrl: urlOf(gateway.addresses.metrics),
    probeUrl: urlOf(gateway.addresses.probes),
    gateway,
    ledger,
    log,
    async [Symbol.asyncDispose]() {
      await gateway.drain(1_000);
      await ledger.close();
    },
  };
}

/** A ledger of its own, ready before the first request can arrive: nothing in it waits for the disk. */
export function memoryLedger(settings?: LedgerSettings): Ledger {
  const database = new SqliteDatabase(":memory:");
  void migrate(database);
  return ledgerOn(database, "test", settings);
}

/** What one cent of a dollar's tenth on Base Sepolia costs; override what matters to a test. */
export function usdcTerms(
  facilitatorUrl: string,
  changes: Partial<PaymentTerms> = {},
): PaymentTerms {
  return {
    scheme: "exact",
    network: "eip155:84532",
    networkV1: "base-sepolia",
    asset: "0x036CbD53842c5426634e7929541eC2318f3dCF7e",
    extra: { name: "USDC", version: "2" },
    amount: "1000",
    price: "0.001",
    payTo: "0x1f6004907Adc7d313768b85917e069e011150390",
    maxTimeoutSeconds: 60,
    facilitatorUrl,
    settle: "after-response",
    description: "",
    mimeType: "",
    ...changes,
  };
}

/** A rule of the X402Route `shop/prices`. */
export function rule(pattern: string, access: Rule["access"], methods?: readonly string[]): Rule {
  const route = { namespace: "shop", name: "prices" };
  return { pattern, route, access, ...(methods && { methods }) };
}

/** One Ingress without a host that sends everything to one backend. */
export function snapshotOf(
  backendUrl: string,
  rules: readonly Rule[],
  ingress: Partial<IngressRules> = {},
): RouteSnapshot {
  const backend = { url: backendUrl };
  return {
    ingresses: [{ namespace: "shop", name: "web", tlsHosts: [], rules, ...ingress }],
    hosts: [{ host: "", paths: [{ path: "/", pathType: "Prefix", ingress: 0, backend }] }],
  };
}
