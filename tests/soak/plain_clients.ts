/** Clients that send proper requests and take the whole reply. */
import { patternOf } from "./byte_pattern.ts";
import type { ClientGroup, ClientTools, Visit } from "./client.ts";
import type { ClientRequest } from "./http_connection.ts";
import type { Seen } from "./lane.ts";
import { amount } from "./purse.ts";
import { hosts } from "./soak_manifests.ts";

export const plainClients: readonly ClientGroup[] = [
  { kind: "free", clients: 3, pauseMs: 40, visit: free(hosts.steady) },
  { kind: "free, backend fails", clients: 2, pauseMs: 50, visit: free(hosts.frailBackend) },
  { kind: "unpaid", clients: 2, pauseMs: 40, visit: unpaid },
  { kind: "shifting path", clients: 1, pauseMs: 50, visit: shifting },
  { kind: "upload", clients: 1, pauseMs: 300, visit: upload(hosts.steady) },
  { kind: "upload, backend fails", clients: 1, pauseMs: 300, visit: upload(hosts.frailBackend) },
  { kind: "readyz and metrics", clients: 1, pauseMs: 500, visit: lookAfter },
];

let asked = 0;

function free(host: string): Visit {
  return async (client) => {
    const { random } = client;
    const path = `/free/${++asked}?of=${random.below(1e9)}`;
    const method = random.pick(["GET", "GET", "GET", "HEAD", "POST", "DELETE"]);
    const body = method === "POST" ? patternOf(random.below(2_000)) : undefined;
    const seen = await visit(client, { method, host, path, ...(body && { body }) });
    // A reply to somebody else's request is the worst that can happen to connections that are shared.
    const mine = method === "HEAD" || (json(seen).target === path && json(seen).method === method);
    tell(client, seen, mine);
  };
}

async function unpaid(client: ClientTools): Promise<void> {
  const seen = await visit(client, { host: hosts.steady, path: `/paid/${++asked}` });
  tell(client, seen, seen.outcome !== "402" || amountsOf(seen).every((it) => it === amount));
}

async function shifting(client: ClientTools): Promise<void> {
  const seen = await visit(client, { host: hosts.shifting, path: `/${++asked}` });
  // Either price in force, but version 1 and 2 of one offer have to agree.
  const [one, other] = seen.outcome === "402" ? amountsOf(seen) : ["2000", "2000"];
  tell(client, seen, one === other && /^[23]000$/.test(one!));
}

/** The amounts of an offer, in both versions of the protocol. */
function amountsOf(seen: Seen): string[] {
  try {
    const offer = JSON.parse(atob(seen.headers.get("payment-required")!));
    return [offer.accepts[0].amount, json(seen).accepts[0].maxAmountRequired];
  } catch {
    return [];
  }
}

/** With a Content-Length or without, in both cases at most 1 MiB. */
function upload(host: string): Visit {
  return async (client) => {
    const { random } = client;
    const length = 1 + random.below(2 ** 20);
    const request = { method: "POST", host, path: "/upload", body: patternOf(length) };
    const chunked = random.chance(0.5)
      ? { chunkBytes: 16_384 + random.below(64 * 1024), chunkPauseMs: 10 }
      : {};
    const seen = await visit(client, { ...request, ...chunked });
    tell(client, seen, json(seen).bytes === length && json(seen).intact === true);
  };
}

async function lookAfter({ kind, journal, metricsUrl, probeUrl }: ClientTools): Promise<void> {
  for (const url of [`${probeUrl}/readyz`, `${probeUrl}/healthz`, `${metricsUrl}/metrics`]) {
    const since = performance.now();
    const reply = await fetch(url, { headers: [["connection", "close"]] });
    await reply.body?.cancel();
    journal.saw(kind, String(reply.status), since, url);
  }
}

function visit(client: ClientTools, request: ClientRequest): Promise<Seen> {
  // Now and then a new connection, as most clients do not stay.
  if (client.random.chance(0.1)) client.lane.close();
  return client.lane.send({ ...request, headers: [client.address] });
}

/** @param right whether a reply that came whole is the one to this request */
function tell({ journal, kind }: ClientTools, seen: Seen, right: boolean): void {
  if (seen.retried) journal.retries++;
  const whole = /^(?:200|402)$/.test(seen.outcome);
  const outcome = whole && !right ? `${seen.outcome} with a wrong body` : seen.outcome;
  journal.saw(kind, outcome, seen.since, seen.detail);
}

// deno-lint-ignore no-explicit-any -- whatever the reply has
function json({ body }: Seen): any {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    return {};
  }
}
