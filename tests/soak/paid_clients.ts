/** Clients that pay. */
import type { ClientGroup, ClientTools, Visit } from "./client.ts";
import { BrokenReply, HttpConnection, type ReplyHead } from "./http_connection.ts";
import { Lane, type Seen } from "./lane.ts";
import type { Payment } from "./purse.ts";
import { hosts } from "./soak_manifests.ts";
import { pause } from "./pause.ts";

export const paidClients: readonly ClientGroup[] = [
  { kind: "paid", clients: 2, pauseMs: 200, visit: paid(hosts.steady) },
  { kind: "paid, settled first", clients: 1, pauseMs: 250, visit: paid(hosts.first) },
  { kind: "paid, backend fails", clients: 2, pauseMs: 400, visit: paid(hosts.frailBackend) },
  {
    kind: "paid, facilitator fails",
    clients: 3,
    pauseMs: 300,
    visit: paid(hosts.frailFacilitator),
  },
  { kind: "paid, two copies", clients: 1, pauseMs: 700, visit: twoCopies },
  { kind: "paid, client leaves", clients: 1, pauseMs: 700, visit: leave },
];

/** Ms between two tries with the same payment; shorter than Retry-After asks for, to see more of it. */
const againMs = 700;
/** Tries after which a buyer comes back another time. */
const maxTries = 3;

function paid(host: string): Visit {
  return async (client) => {
    const { purse, owed, random } = client;
    const payment = await purse.take();
    const path = `/paid/${payment.nonce}`;
    if (random.chance(0.1)) client.lane.close();
    let seen = await pay(client, host, path, payment);
    // A payment for which a backend has run is not good for another try; one that an outage of the
    // facilitator stopped is.
    for (let tries = 1; /facilitator|settlement/.test(seen.outcome); tries++) {
      if (tries === maxTries) {
        owed.push({ payment, path });
        return;
      }
      await pause(againMs);
      seen = await pay({ ...client, kind: "the same once more" }, host, path, payment);
    }
  };
}

/**
 * Sends the payments that are owed once more.
 * @returns how many are left
 */
export async function claimOwed(client: ClientTools): Promise<number> {
  const { owed } = client;
  for (const { payment, path } of owed.splice(0)) {
    const seen = await pay(client, hosts.frailFacilitator, path, payment);
    if (seen.outcome !== "200") owed.push({ payment, path });
  }
  return owed.length;
}

async function pay(
  client: ClientTools,
  host: string,
  path: string,
  payment: Payment,
): Promise<Seen> {
  const { lane, journal, account, kind } = client;
  const seen = await lane.send(request(client, host, path, payment));
  journal.saw(kind, account.add(payment.nonce, seen), seen.since, seen.detail);
  if (seen.retried) journal.retries++;
  return seen;
}

async function twoCopies(client: ClientTools): Promise<void> {
  const { purse, account, journal, kind, lane, port } = client;
  const payment = await purse.take();
  const copy = request(client, hosts.steady, `/paid/${payment.nonce}`, payment);
  using other = new Lane(port);
  const seen = await Promise.all([lane.send(copy), other.send(copy)]);
  const outcomes = seen.map((each) => account.add(payment.nonce, each)).sort();
  journal.saw(kind, outcomes.join("+"), seen[0].since, seen.map(({ detail }) => detail).join());
}

/** Pays and goes away: at once, or a little later. */
async function leave(client: ClientTools): Promise<void> {
  const { purse, account, journal, kind, port, random } = client;
  const payment = await purse.take();
  const since = performance.now();
  using connection = await HttpConnection.open(port);
  connection.send(request(client, hosts.steady, `/paid/${payment.nonce}`, payment));
  let left = false;
  const timer = setTimeout(() => (left = true, connection.close()), random.below(20));
  let seen = { outcome: "broken", headers: new Map<string, string>() as ReplyHead["headers"] };
  try {
    const head = await connection.readHead();
    await connection.readWhole(head);
    seen = { outcome: String(head.status), headers: head.headers };
  } catch (error) {
    if (!(error instanceof BrokenReply)) throw error;
    if (left) seen = { ...seen, outcome: "left" };
  } finally {
    clearTimeout(timer);
  }
  journal.saw(kind, account.add(payment.nonce, seen), since);
}

/** The label tells how often a backend ran for a payment. */
function request({ address }: ClientTools, host: string, path: string, payment: Payment) {
  return {
    host,
    path,
    headers: [address, payment.header, ["x-call-label", payment.nonce]],
  } as const;
}
