/** Clients that want to hurt, or do not care. None of them may be noticed by the others. */
import { patternOf } from "./byte_pattern.ts";
import type { ClientGroup, ClientTools, Visit } from "./client.ts";
import { BrokenReply, HttpConnection } from "./http_connection.ts";
import { hosts } from "./soak_manifests.ts";
import { pause } from "./pause.ts";

export const hostileClients: readonly ClientGroup[] = [
  { kind: "hostile: trickled head", clients: 4, pauseMs: 100, visit: rudely(trickle) },
  { kind: "hostile: half a request", clients: 1, pauseMs: 200, visit: rudely(half) },
  { kind: "hostile: garbage", clients: 1, pauseMs: 200, visit: rudely(garbage) },
  { kind: "hostile: 100 KB of headers", clients: 1, pauseMs: 400, visit: rudely(longHead) },
  { kind: "hostile: broken payment", clients: 1, pauseMs: 300, visit: rudely(brokenPayment) },
  { kind: "hostile: reset", clients: 2, pauseMs: 200, visit: rudely(reset) },
  { kind: "hostile: slow reader", clients: 2, pauseMs: 300, visit: rudely(readSlowly) },
  { kind: "hostile: leaves in the middle", clients: 1, pauseMs: 150, visit: rudely(leaveUpload) },
  { kind: "hostile: WebSocket dropped", clients: 1, pauseMs: 300, visit: rudely(dropSocket) },
  { kind: "hostile: 1,000 pipelined", clients: 1, pauseMs: 2_000, visit: pipeline },
];

const encoder = new TextEncoder();
const latin1 = new TextDecoder("latin1");
/** Ms that a hostile client waits for an answer before it goes to do harm elsewhere. */
const boredMs = 3_000;

const request = (path: string, ...lines: string[]) =>
  [`GET ${path} HTTP/1.1`, `host: ${hosts.steady}`, ...lines, "", ""].join("\r\n");

/** One byte every 50 ms, for a while. */
async function trickle(socket: Deno.TcpConn, { random }: ClientTools) {
  const text = request("/free/trickled", `x-long: ${"y".repeat(200)}`);
  const count = 10 + random.below(80);
  for (let at = 0; at < count; at++) {
    await socket.write(encoder.encode(text[at]));
    await pause(50);
  }
}

async function half(socket: Deno.TcpConn, { random }: ClientTools) {
  const text = random.pick([
    request("/free/half").slice(0, -2 - random.below(30)),
    request("/free/half", "content-length: 100").replace("GET", "POST") + "ten bytes.",
    request("/free/half", "transfer-encoding: chunked").replace("GET", "POST") + "a\r\nten",
  ]);
  await write(socket, encoder.encode(text));
  await pause(random.below(300));
}

/** A few bytes or many, of any value; never by chance a request. */
async function garbage(socket: Deno.TcpConn, { random }: ClientTools) {
  const bytes = new Uint8Array(2 + random.below(20_000));
  for (let at = 0; at < bytes.length; at++) bytes[at] = random.below(256);
  bytes[0] = 0;
  await write(socket, bytes);
  return await answer(socket);
}

async function longHead(socket: Deno.TcpConn, { random }: ClientTools) {
  const lines = random.chance(0.5)
    ? [`x-long: ${"y".repeat(100_000)}`]
    : Array.from({ length: 2_000 }, (_, n) => `x-${n}: ${"z".repeat(40)}`);
  await write(socket, encoder.encode(request("/free/long", ...lines)));
  return await answer(socket);
}

async function brokenPayment(socket: Deno.TcpConn, { random }: ClientTools) {
  const payment = random.pick(["garbage", "e30=", btoa('{"x402Version":2}'), "x".repeat(5_000)]);
  const header = random.pick(["PAYMENT-SIGNATURE", "X-PAYMENT"]);
  await write(socket, encoder.encode(request("/paid/broken", `${header}: ${payment}`)));
  return await answer(socket);
}

/** To close a socket that has unread bytes resets the connection. */
async function reset(socket: Deno.TcpConn, { random }: ClientTools) {
  await write(socket, encoder.encode(request("/download?bytes=3000000&chunked")));
  await socket.read(new Uint8Array(10));
  await pause(random.below(100));
}

/** 4 KiB every 50 ms of a reply that fits into no buffer, then it has enough. */
async function readSlowly(socket: Deno.TcpConn, { random }: ClientTools) {
  await write(socket, encoder.encode(request("/download?bytes=8000000")));
  const buffer = new Uint8Array(4096);
  for (let left = 20 + random.below(60); left > 0; left--) {
    if (await socket.read(buffer) === null) return "closed";
    await pause(50);
  }
}

async function leaveUpload(socket: Deno.TcpConn, { random }: ClientTools) {
  const head = request("/upload", "content-length: 1000000").replace("GET", "POST");
  await write(socket, encoder.encode(head));
  await write(socket, patternOf(random.below(200_000)));
}

async function dropSocket(socket: Deno.TcpConn, { random }: ClientTools) {
  const lines = ["upgrade: websocket", "connection: Upgrade", "sec-websocket-version: 13"];
  const key = "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==";
  await write(socket, encoder.encode(request("/socket", ...lines, key)));
  const outcome = await answer(socket);
  // A message that is never completed.
  await write(socket, Uint8Array.of(0x81, 0xfe, 0x40, 0, 1, 2, 3, 4, 5));
  await pause(random.below(100));
  return outcome;
}

/** Written without a look at the replies, which have to come all the same, in order. */
async function pipeline({ kind, journal, port }: ClientTools): Promise<void> {
  const since = performance.now();
  const count = 1_000;
  const requests = Array.from(
    { length: count },
    (_, n) => request(n % 2 === 0 ? `/free/${n}` : `/paid/${n}`),
  ).join("");
  using connection = await HttpConnection.open(port);
  const writing = write(connection.socket, encoder.encode(requests)).catch(() => {});
  let replies = 0;
  let outcome = "";
  try {
    while (replies < count && outcome === "") {
      const head = await connection.readHead();
      const body = latin1.decode(await connection.readWhole(head));
      const isFree = replies % 2 === 0;
      const right = isFree
        ? head.status === 200 && JSON.parse(body).target === `/free/${replies}`
        // So many offers a second are more than one client gets.
        : head.status === 402 || head.status === 429;
      if (!right) outcome = `reply ${replies}: ${head.status} ${body.slice(0, 100)}`;
      else replies++;
    }
  } catch (error) {
    if (!(error instanceof BrokenReply)) throw error;
    outcome = `closed after ${replies}`;
  }
  connection.close();
  await writing;
  journal.saw(kind, outcome || `${replies} replies`, since);
}

/**
 * A visit on a bare socket, which is closed at the end whatever the state of things is.
 * @param act resolves with what was answered; with nothing if it did not wait for that
 */
function rudely(
  act: (socket: Deno.TcpConn, client: ClientTools) => Promise<string | void>,
): Visit {
  return async (client) => {
    const since = performance.now();
    let outcome: string;
    using socket = await Deno.connect({ hostname: "127.0.0.1", port: client.port });
    try {
      outcome = await act(socket, client) ?? "left";
    } catch {
      outcome = "closed";
    }
    client.journal.saw(client.kind, outcome, since);
  };
}

/** The status, with the `error` of a failure if there is one; or that there is none. */
async function answer(socket: Deno.TcpConn): Promise<string> {
  const buffer = new Uint8Array(16 * 1024);
  const timeout = Promise.withResolvers<"left">();
  const timer = setTimeout(() => timeout.resolve("left"), boredMs);
  const reading = socket.read(buffer).catch(() => null);
  const count = await Promise.race([reading, timeout.promise]);
  clearTimeout(timer);
  if (count === "left") return "left";
  if (count === null) return "closed";
  const text = latin1.decode(buffer.subarray(0, count));
  const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? "no status line";
  return `${status} ${/"error":"(\w+)"/.exec(text)?.[1] ?? ""}`.trim();
}

async function write(socket: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await socket.write(bytes.subarray(sent));
}
