/**
 * Many clients that do next to nothing, in a process of their own: their file descriptors and their
 * time are not those of the test. Usage: `crowd_clients.ts CROWD`, which is JSON (`CrowdPlan`).
 * Prints `{"open":N}` when all are connected and `{"closed":N,...}` when all are closed.
 */
import type { CrowdClosed, CrowdPlan } from "./crowd.ts";

/** Connections that are opened at a time. */
const atOnce = 100;

const plan: CrowdPlan = JSON.parse(Deno.args[0]!);
const first = new TextEncoder().encode(plan.first);
const piece = new TextEncoder().encode(plan.piece ?? "");
const open = new Set<Deno.TcpConn>();
let refused = 0;
let answered = 0;

function say(line: object): void {
  Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(line) + "\n"));
}

async function serve(connection: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(1024);
  try {
    if (first.byteLength > 0) await connection.write(first);
    if (plan.reads === false) return await left(connection);
    for (let count, isFirst = true; (count = await connection.read(buffer)) !== null;) {
      if (count > 0 && isFirst) answered++;
      isFirst = false;
    }
  } catch {
    // reset
  } finally {
    open.delete(connection);
    connection.close();
  }
}

/** Without reading: a write says that the other side is not there any more. */
async function left(connection: Deno.TcpConn): Promise<void> {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    await connection.write(new Uint8Array(1));
  }
}

async function connect(): Promise<Deno.TcpConn> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: plan.port });
  open.add(connection);
  return connection;
}

async function serveAgain(connection: Deno.TcpConn): Promise<void> {
  await serve(connection);
  while (plan.again) await connect().then(serve, () => refused++);
}

async function connectSome(count: number): Promise<Promise<void>[]> {
  const serving: Promise<void>[] = [];
  for (let i = 0; i < count; i++) {
    try {
      serving.push(serveAgain(await connect()));
    } catch {
      refused++;
    }
  }
  return serving;
}

const share = Math.ceil(plan.count / atOnce);
const shares = Array.from(
  { length: atOnce },
  (_, i) => connectSome(Math.max(0, Math.min(share, plan.count - i * share))),
);
const serving = (await Promise.all(shares)).flat();
const since = performance.now();
say({ open: open.size });
const timer = piece.byteLength === 0 ? undefined : setInterval(() => {
  for (const connection of open) connection.write(piece).catch(() => {});
}, plan.everyMs);
await Promise.all(serving);
clearInterval(timer);
const closed: CrowdClosed = {
  closed: serving.length,
  refused,
  answered,
  ms: Math.round(performance.now() - since),
};
say(closed);
