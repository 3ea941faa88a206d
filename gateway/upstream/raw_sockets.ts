/** For tests: peers that speak bytes, so that they can be as wrong as real ones. */
import { Buffer } from "node:buffer";

/** A server that shows what it was sent. */
export interface RawBackend extends AsyncDisposable {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** As received: the head, and the body as far as content-length announces one. */
  readonly requests: string[];
  /** That were accepted so far. */
  readonly connections: number;
  /** Resolves when a connection was closed by the other side. */
  readonly clientClosed: Promise<void>;
}

/** Called for each request; a string is written as it is, and then the connection is closed. */
export type Answer = string | ((connection: Deno.Conn, request: string) => Promise<void>);

export interface RawBackendOptions {
  /** Where it listens if not on 127.0.0.1, without TLS. */
  readonly listening?: Listening;
  /** What it reads before it answers, if not `readMessage`. */
  readonly read?: (connection: Deno.Conn) => Promise<string | null>;
}

export interface Listening {
  readonly listener: Deno.Listener<Deno.Conn, Deno.NetAddr>;
  readonly origin: string;
}

export function rawBackend(
  answer: Answer,
  { listening = listenOn("127.0.0.1"), read = readMessage }: RawBackendOptions = {},
): RawBackend {
  const { listener, origin } = listening;
  const open = new Set<Deno.Conn>();
  const requests: string[] = [];
  const closed = Promise.withResolvers<void>();
  const disposed = Promise.withResolvers<never>();
  disposed.promise.catch(() => {});
  let connections = 0;

  async function serve(connection: Deno.Conn): Promise<void> {
    open.add(connection);
    connections++;
    // Else the second of two writes waits for the other side's acknowledgement.
    if ("setNoDelay" in connection) (connection as Deno.TcpConn).setNoDelay(true);
    try {
      for (;;) {
        const request = await read(connection);
        if (request === null) break;
        requests.push(request);
        if (typeof answer === "string") {
          await send(connection, answer);
          break;
        }
        await Promise.race([answer(connection, request), disposed.promise]);
      }
    } catch {
      // Tests close from either side at any time.
    } finally {
      closed.resolve();
      open.delete(connection);
      hangUp(connection);
    }
  }

  const accepting = (async () => {
    const serving: Promise<void>[] = [];
    try {
      for await (const connection of listener) serving.push(serve(connection));
    } finally {
      await Promise.all(serving);
    }
  })();

  return {
    url: origin,
    requests,
    get connections() {
      return connections;
    },
    clientClosed: closed.promise,
    async [Symbol.asyncDispose]() {
      disposed.reject(new Error("the test is over"));
      hangUp(listener);
      for (const connection of open) hangUp(connection);
      await accepting.catch(() => {});
    },
  };
}

/** @param hostname an IP address */
export function listenOn(hostname: string): Listening {
  const listener = Deno.listen({ hostname, port: 0 });
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  return { listener, origin: `http://${host}:${listener.addr.port}` };
}

/** A port on 127.0.0.1 that nobody listens on. */
export function closedPort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Answers every request of a connection with the same bytes. */
export function always(reply: string): Answer {
  return async (connection) => {
    await send(connection, reply);
  };
}

/** Writes all of a text, one byte a character. */
export async function send(connection: Deno.Conn, text: string): Promise<void> {
  for (let rest = bytes(text); rest.byteLength > 0;) {
    rest = rest.subarray(await connection.write(rest));
  }
}

/** Sends the text (one byte per character) and resolves with all that comes until the end. */
export async function exchange(port: number, text: string): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await send(connection, text);
  return await readToEnd(connection);
}

/** Everything that still comes, as latin1; ends with `<reset>` if the connection broke. */
export async function readToEnd(connection: Deno.Conn): Promise<string> {
  const parts: string[] = [];
  const buffer = new Uint8Array(65536);
  try {
    for (;;) {
      const count = await connection.read(buffer);
      if (count === null) return parts.join("");
      parts.push(latin1(buffer.subarray(0, count)));
    }
  } catch {
    return parts.join("") + "<reset>";
  }
}

/** Reads until the text matches; null at the end of the stream. */
export async function readUntil(
  connection: Deno.Conn,
  isEnough: (text: string) => boolean,
): Promise<string | null> {
  let text = "";
  const buffer = new Uint8Array(65536);
  for (;;) {
    const count = await connection.read(buffer);
    if (count === null) return null;
    text += latin1(buffer.subarray(0, count));
    if (isEnough(text)) return text;
  }
}

/** One message with the body that its content-length announces; null at the end of the stream. */
export function readMessage(connection: Deno.Conn): Promise<string | null> {
  let end = Infinity;
  return readUntil(connection, (text) => {
    if (end === Infinity) {
      const head = text.indexOf("\r\n\r\n") + 4;
      if (head < 4) return false;
      end = head + Number(/^content-length: (\d+)/im.exec(text.slice(0, head))?.[1] ?? 0);
    }
    return text.length >= end;
  });
}

/** Up to the end of a head, and what of its body has come with it. */
export function readHead(connection: Deno.Conn): Promise<string | null> {
  return readUntil(connection, (text) => text.includes("\r\n\r\n"));
}

/** One byte per character. */
export function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(text, "latin1"));
}

/** One character per byte; a `TextDecoder` knows no latin1, only windows-1252. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

/** Closes what may have been closed before. */
export function hangUp(socket: { close(): void }): void {
  try {
    socket.close();
  } catch {
    // closed before
  }
}
