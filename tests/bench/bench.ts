/**
 * `deno task bench [--json]`: what the gateway costs, next to a bare `Deno.serve` and to proxies made of
 * `fetch`. Speed is printed, never asserted: the exit code is 0 whatever it is, and 1 only when a
 * reply is wrong.
 */
import { parseArgs } from "node:util";
import { compareLedgers } from "./compare_ledgers.ts";
import { measureLedger } from "./ledger_rows.ts";
import { type Measure, measureAll } from "./measure.ts";
import { compare, renderReport } from "./report.ts";
import { type BenchServer, BenchServers } from "./servers.ts";

const paidPath = "/api/weather";
const freePath = "/health";

type Name =
  | "bareServe"
  | "challenge"
  | "tunedProxy"
  | "naiveProxy"
  | "freeProxying"
  | "paid"
  | "noLedger"
  | "withLedger";

async function startMeasures(servers: BenchServers): Promise<Record<Name, Measure>> {
  const backend = await servers.baseline("backend");
  const stub = await servers.facilitatorStub();
  const gateway = () => servers.gateway(backend, stub);
  const paid = measure("gateway: paid requests", await gateway(), paidPath, 200);
  const paymentFor = await offerOf(paid.load.port);
  const one = async (name: string, ledger: "none" | "file"): Promise<Measure> => {
    const server = await servers.paidGateway(backend, stub, ledger);
    const { load, ...rest } = measure(name, server, paidPath, 200);
    const paymentFor = await offerOf(server.port);
    return { ...rest, connections: 1, load: { ...load, paymentFor } };
  };
  return {
    bareServe: measure("bare Deno.serve", await servers.baseline("hello"), freePath, 200),
    challenge: measure("gateway: 402 challenge", await gateway(), paidPath, 402),
    tunedProxy: proxy("tuned fetch proxy", await servers.baseline("tuned-proxy", backend)),
    naiveProxy: proxy("naive fetch proxy", await servers.baseline("naive-proxy", backend)),
    freeProxying: proxy("gateway: free proxying", await gateway()),
    paid: { ...paid, load: { ...paid.load, paymentFor } },
    // One at a time: what a ledger adds to a reply's time, without queues.
    noLedger: await one("paid, 1 connection, no ledger", "none"),
    withLedger: await one("paid, 1 connection, SQLite file", "file"),
  };
}

function proxy(name: string, server: BenchServer): Measure {
  return measure(name, server, freePath, 200);
}

function measure(name: string, { pid, port }: BenchServer, path: string, status: number): Measure {
  return { name, pid, load: { port, path, expectedStatus: status } };
}

/** What the gateway asks for, from its own challenge. */
async function offerOf(port: number): Promise<Record<string, unknown>> {
  const reply = await fetch(`http://127.0.0.1:${port}${paidPath}`);
  await reply.body?.cancel();
  const challenge = reply.headers.get("payment-required");
  if (challenge === null) throw new Error(`The gateway answers ${reply.status} without an offer.`);
  return JSON.parse(atob(challenge)).accepts[0];
}

const { values } = parseArgs({ options: { json: { type: "boolean", default: false } } });
// Many short rounds: on a machine that others use, a median of few long ones says less.
const effort = { rounds: 9, seconds: 1, connections: 32 };

await using servers = new BenchServers();
const measures = await startMeasures(servers);
const results = await measureAll(measures, effort);
const ledgers = [await measureLedger(1), await measureLedger(1_000_000)] as const;
const comparisons = [...compare(results), ...compareLedgers(results, ledgers)];
const text = values.json
  ? JSON.stringify({ effort, results, ledgers, comparisons }, undefined, 2)
  : renderReport(Object.values(results), comparisons);
await new Blob([text, "\n"]).stream().pipeTo(Deno.stdout.writable);
