/** Clients whose replies take their time: downloads, server-sent events, WebSockets. */
import { isPatternAt } from "./byte_pattern.ts";
import type { ClientGroup, ClientTools, Visit } from "./client.ts";
import { BrokenReply, type ClientRequest, HttpConnection } from "./http_connection.ts";
import { hosts } from "./soak_manifests.ts";

export const streamingClients: readonly ClientGroup[] = [
  { kind: "download", clients: 2, pauseMs: 250, visit: download(hosts.steady) },
  {
    kind: "download, backend fails",
    clients: 1,
    pauseMs: 250,
    visit: download(hosts.frailBackend, 10),
  },
  { kind: "events", clients: 2, pauseMs: 100, visit: events(20, 60) },
  { kind: "WebSocket", clients: 2, pauseMs: 200, visit: socket },
];

/**
 * Up to 4 MiB; a body that ends too early is `cut`, however it was framed.
 * @param paceMs between the pieces of the backend, so that it dies within a body as well
 */
function download(host: string, paceMs = 0): Visit {
  return async (client) => {
    const length = 1 + client.random.below(4 * 2 ** 20);
    const chunked = client.random.chance(0.5) ? "&chunked" : "";
    const path = `/download?bytes=${length}&pace=${paceMs}${chunked}`;
    let at = 0;
    await stream(client, { host, path }, (piece) => {
      const right = isPatternAt(at, piece);
      at += piece.length;
      return right;
    }, () => at === length);
  };
}

/** Up to `most` of them, `intervalMs` apart at most; to the end, in order. */
export function events(most: number, intervalMs: number): Visit {
  return async (client) => {
    const count = 1 + client.random.below(most);
    const path = `/events?count=${count}&interval=${10 + client.random.below(intervalMs)}`;
    const expected = Array.from({ length: count }, (_, n) => `data: ${n + 1}\n\n`).join("");
    let text = "";
    await stream(client, { host: hosts.steady, path }, (piece) => {
      text += new TextDecoder().decode(piece);
      return expected.startsWith(text);
    }, () => text === expected);
  };
}

async function stream(
  { kind, journal, port, address }: ClientTools,
  request: ClientRequest,
  isRight: (piece: Uint8Array) => boolean,
  isWhole: () => boolean,
): Promise<void> {
  const since = performance.now();
  let outcome = "broken";
  let detail = "";
  try {
    using connection = await HttpConnection.open(port);
    connection.send({ ...request, headers: [address] });
    const head = await connection.readHead();
    outcome = "cut";
    const { status } = head;
    if (status !== 200) {
      const body = new TextDecoder().decode(await connection.readWhole(head));
      outcome = `${status} ${/"error":"(\w+)"/.exec(body)?.[1] ?? ""}`.trim();
    } else {
      let right = true;
      for await (const piece of connection.readBody(head)) right &&= isRight(piece);
      outcome = right && isWhole() ? "200" : "200 with a wrong body";
    }
  } catch (error) {
    if (!(error instanceof BrokenReply)) throw error;
    detail = error.message;
  }
  journal.saw(kind, outcome, since, detail);
}

/** Some messages there and back, then a proper end. */
async function socket({ kind, journal, port, random }: ClientTools): Promise<void> {
  const since = performance.now();
  const socket = new WebSocket(`ws://127.0.0.1:${port}/socket`);
  const messages = Array.from(
    { length: 1 + random.below(8) },
    () => "x".repeat(1 + random.below(20_000)),
  );
  const back: unknown[] = [];
  const { promise, resolve } = Promise.withResolvers<string>();
  socket.onopen = () => messages.forEach((message) => socket.send(message));
  socket.onmessage = ({ data }) => {
    back.push(data);
    if (back.length === messages.length) socket.close(1000);
  };
  socket.onerror = (event) => resolve(`error ${(event as ErrorEvent).message}`);
  socket.onclose = ({ code }) => {
    const right = messages.every((message, n) => message === back[n]);
    resolve(code === 1000 && right ? "echoed" : `closed with ${code} after ${back.length}`);
  };
  journal.saw(kind, await promise, since);
}
