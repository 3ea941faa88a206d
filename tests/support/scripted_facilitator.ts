import { collectGarbage } from "./collect_garbage.ts";

/**
 * A facilitator on a real socket that answers as told: right, wrong, or not at all. It speaks HTTP
 * by hand, because most of its faults are things that an HTTP server cannot be made to do.
 */
export type Answer =
  /** A JSON reply, given once the promise has resolved. */
  | { readonly json: unknown; readonly status?: number; readonly after?: Promise<unknown> }
  /** Whatever is found to be the answer to this call. */
  | { readonly ask: (call: FacilitatorCall) => Promise<Answer> }
  /** Bytes of a whole HTTP reply, then the connection is closed. */
  | { readonly raw: string }
  /** The connection is closed before the request is read. */
  | "close-before-request"
  /** The connection is closed after the request was read. */
  | "close-after-request"
  /** The request is read and nothing comes back. */
  | "hang"
  /** A reply that never ends, one byte at a time. */
  | "trickle";

type Paid = "/verify" | "/settle";
type Endpoint = Paid | "/supported";

export interface ScriptedFacilitator extends AsyncDisposable {
  readonly url: string;
  /** What it answers from now on; all endpoints start with a proper success. */
  readonly answers: Record<Endpoint, Answer>;
  /** What it answers before that, once each. */
  readonly next: Record<Endpoint, Answer[]>;
  /** Bodies received so far, per endpoint. */
  readonly received: Record<Paid, FacilitatorCall[]>;
  /** Requests read so far, at all endpoints. */
  readonly requests: FacilitatorHttpRequest[];
  /** Connections accepted so far. */
  connections(): number;
  /** Resolves when the next request to this endpoint was read. */
  called(endpoint: Endpoint): Promise<void>;
}

export interface FacilitatorCall {
  readonly x402Version: number;
  readonly paymentPayload: unknown;
  readonly paymentRequirements: Record<string, unknown>;
}

export interface FacilitatorHttpRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
}

/** Proper successes, for payments on Base Sepolia in version 2. */
export const success: Readonly<Record<Endpoint, Answer>> = {
  "/verify": { json: { isValid: true } },
  "/settle": {
    json: { success: true, transaction: "0x" + "5e".repeat(32), network: "eip155:84532" },
  },
  "/supported": {
    json: { kinds: [{ x402Version: 2, scheme: "exact", network: "eip155:84532" }] },
  },
};

export function startScriptedFacilitator(): ScriptedFacilitator {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.Conn>();
  const waiting: Record<Endpoint, (() => void)[]> = {
    "/verify": [],
    "/settle": [],
    "/supported": [],
  };
  const answers = { ...success };
  const next: Record<Endpoint, Answer[]> = { "/verify": [], "/settle": [], "/supported": [] };
  const received: Record<Paid, FacilitatorCall[]> = { "/verify": [], "/settle": [] };
  const requests: FacilitatorHttpRequest[] = [];
  let connections = 0;

  async function serve(connection: Deno.Conn): Promise<void> {
    open.add(connection);
    connections++;
    try {
      if (Object.values(answers).includes("close-before-request")) return;
      const { request, body } = await readRequest(connection);
      requests.push(request);
      const endpoint = request.path.replace(/.*\//, "/") as Endpoint;
      const call = endpoint === "/supported" ? undefined : JSON.parse(body);
      if (endpoint !== "/supported") received[endpoint].push(call);
      for (const resolve of waiting[endpoint].splice(0)) resolve();
      const answer = next[endpoint].shift() ?? answers[endpoint];
      const isOpen = typeof answer === "object" && "ask" in answer;
      await reply(connection, isOpen ? await answer.ask(call) : answer);
    } catch (error) {
      if (!(error instanceof Deno.errors.Interrupted || error instanceof Error)) throw error;
    } finally {
      open.delete(connection);
      close(connection);
    }
  }

  const accepting = (async () => {
    for await (const connection of listener) serve(connection);
  })();

  return {
    url: `http://127.0.0.1:${listener.addr.port}`,
    answers,
    next,
    received,
    requests,
    connections: () => connections,
    called: (endpoint) => new Promise((resolve) => waiting[endpoint].push(resolve)),
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const connection of open) close(connection);
      await accepting;
    },
  };
}

async function readRequest(
  connection: Deno.Conn,
): Promise<{ request: FacilitatorHttpRequest; body: string }> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(64 * 1024);
  let text = "";
  for (;;) {
    const [head, body] = text.split("\r\n\r\n", 2);
    if (body !== undefined) {
      const request = readHead(head!);
      // The bodies of these tests are ASCII.
      if (body.length >= Number(request.headers.get("content-length"))) return { request, body };
    }
    const read = await connection.read(buffer);
    if (read === null) throw new Error("the client left");
    text += decoder.decode(buffer.subarray(0, read), { stream: true });
  }
}

function readHead(head: string): FacilitatorHttpRequest {
  const [first, ...lines] = head.split("\r\n");
  const [method, path] = first!.split(" ");
  const pairs = lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  return { method: method!, path: path!, headers: new Headers(pairs) };
}

async function reply(connection: Deno.Conn, answer: Answer): Promise<void> {
  if (typeof answer === "object" && "ask" in answer) {
    throw new TypeError("an answer, not a way to it");
  }
  if (answer === "close-after-request" || answer === "close-before-request") return;
  if (answer === "hang") return await forever(connection);
  if (answer === "trickle") {
    await write(connection, "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n");
    for (let i = 0; i < 200; i++) {
      await write(connection, " ");
      await collectGarbage();
    }
    return;
  }
  if ("raw" in answer) return await write(connection, answer.raw);
  await answer.after;
  const body = JSON.stringify(answer.json);
  const head = `HTTP/1.1 ${answer.status ?? 200} Scripted\r\ncontent-type: application/json\r\n`;
  const { length } = new TextEncoder().encode(body);
  await write(connection, `${head}connection: close\r\ncontent-length: ${length}\r\n\r\n${body}`);
}

/** Until the other side closes. */
async function forever(connection: Deno.Conn): Promise<void> {
  while (await connection.read(new Uint8Array(1)) !== null);
}

async function write(connection: Deno.Conn, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
