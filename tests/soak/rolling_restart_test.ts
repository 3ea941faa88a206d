/**
 * A rolling restart under load, as Kubernetes does it: no request fails. What counts as a failure: any
 * other reply than the one that is asked for; a reply that ends too early; a connection that is
 * refused or, new, closed without a reply. A connection that was kept alive may be closed while it is
 * idle, and a client that notices it only when it has sent a request may send that once more if
 * nothing of a reply came and the method is idempotent; if it is not, this is a failure too.
 */
import assert from "node:assert/strict";
import { PostgresDatabase } from "../../store/ledger/postgres_database.ts";
import { ledgerOn } from "../../store/ledger/ledger.ts";
import { Random } from "../fuzz/random.ts";
import { postgresTest } from "../rig/test_postgres.ts";
import type { ClientBed, ClientGroup } from "./client.ts";
import { Crowd, everybody } from "./crowd.ts";
import { FaultLog } from "./fault_log.ts";
import { Journal } from "./journal.ts";
import { ManifestWriter } from "./manifest_writer.ts";
import { PaymentAccount } from "./payment_account.ts";
import { Purse } from "./purse.ts";
import { Rollout } from "./rollout.ts";
import { SoakBackend } from "./soak_backend.ts";
import { SoakFacilitator } from "./soak_facilitator.ts";
import { events } from "./streaming_clients.ts";
import { TcpService } from "./tcp_service.ts";
import { startWatchedGateway } from "./watched_gateway.ts";

/** Pods hear of their end this long before the Service stops sending them connections, in ms. */
const propagationMs = 1_000;
/** They take requests for longer than that, and then end what they have begun. */
const drain = ["--shutdown-delay", "1500ms", "--drain-timeout", "10s"];

const kinds = ["free", "unpaid", "paid", "paid, settled first", "download", "upload"];
const groups: readonly ClientGroup[] = [
  ...everybody.filter(({ kind }) => kinds.includes(kind)),
  // They last longer than it takes a pod to hear of its end and begin to drain.
  { kind: "events", clients: 4, pauseMs: 100, visit: events(60, 90) },
  // Their connections are idle when pods end.
  { ...everybody.find(({ kind }) => kind === "free")!, clients: 10, pauseMs: 500 },
];

postgresTest("a rolling restart of two gateways under load: no request fails", async (postgres) => {
  const ledger = await postgres.createDatabase();
  await using bed = await startBed(ledger);
  const journal = new Journal(new FaultLog());
  const clients: ClientBed = {
    ...{ port: bed.service.port, metricsUrl: "", probeUrl: "" },
    ...{ journal, purse: new Purse(), account: new PaymentAccount(), owed: [] },
  };
  await clients.purse.fill(100);
  const seed = Math.floor(Math.random() * 2 ** 31);
  const crowd = new Crowd(clients, seed, groups);
  const faults = await Promise.race([bed.rollout.restart(), crowd.running]);
  await crowd.stop();

  assert.deepEqual(faults, []);
  assert.deepEqual(journal.violations, [], `seed ${seed}, ${journal.retries} requests sent again`);
  for (const { kind } of groups) assert.ok(journal.counts.has(kind), kind);
  const { backend, facilitator } = bed;
  backend.count();
  assert.deepEqual(clients.account.check(backend.runs, facilitator.settled), []);
  assert.deepEqual(facilitator.settledAgain, []);
  assert.deepEqual(await openPayments(ledger), [], "nothing is left to anybody");
});

/** Two pods on one ledger; backend and facilitator never fail. */
async function startBed(ledger: string) {
  await using started = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "x402-rollout-" });
  started.defer(() => Deno.remove(folder, { recursive: true }));
  const manifests = `${folder}/manifests`;
  await Deno.mkdir(manifests);
  const backend = started.use(await SoakBackend.start());
  const facilitator = started.use(new SoakFacilitator());
  const targets = {
    ...{ steadyBackend: backend.port, frailBackend: backend.port },
    ...{ steadyFacilitator: facilitator.url, frailFacilitator: facilitator.url },
  };
  await new ManifestWriter(manifests, targets, new Random(0)).begin();
  const flags = [
    ...drain,
    ...["--workers", "2"],
    ...["--ledger", ledger, "--allow-facilitator-host", "127.0.0.1"],
    ...["--trusted-proxies", "127.0.0.1/32"],
  ];
  let pods = 0;
  const start = () => startWatchedGateway({ manifests, flags }, `${folder}/errors-${++pods}.txt`);
  const service = started.use(new TcpService());
  const rollout = started.use(await Rollout.begin(service, 2, { start, propagationMs }));
  const running = started.move();
  return {
    ...{ service, rollout, backend, facilitator },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** States of the payments that are not over, once every gateway but the last two has ended. */
async function openPayments(ledger: string): Promise<string[]> {
  const { history, close } = ledgerOn(new PostgresDatabase(ledger), "reader");
  try {
    const over = new Set(["delivered", "rejected", "released"]);
    const payments = await Array.fromAsync(history.list());
    return payments.map(({ state }) => state).filter((state) => !over.has(state));
  } finally {
    await close();
  }
}
