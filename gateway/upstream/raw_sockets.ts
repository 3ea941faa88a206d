/** For tests: peers that speak bytes, so that they can be as wrong as real ones. */

const encoder = new TextEncoder();
const latin1 = new TextDecoder("latin1");

/** A TCP server that shows what it was sent. */
export interface RawBackend extends AsyncDisposable {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** Each request as received: its head, and the body as far as content-length announces one. */
  readonly requests: string[];
  /** Resolves when a connection was closed by the other side. */
  readonly clientClosed: Promise<void>;
}

/** Called for each request; a string is written as it is, and then the connection is closed. */
export type Answer = string | ((connection: Deno.TcpConn, request: string) => Promise<void>);

export function rawBackend(answer: Answer): RawBackend {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.TcpConn>();
  const requests: string[] = [];
  const closed = Promise.withResolvers<void>();

  async function serve(connection: Deno.TcpConn): Promise<void> {
    open.add(connection);
    try {
      for (;;) {
        const request = await readMessage(connection);
        if (request === null) break;
        requests.push(request);
        if (typeof answer === "string") {
          await connection.write(bytes(answer));
          break;
        }
        await answer(connection, request);
      }
    } catch {
      // Tests close from either side at any time.
    } finally {
      closed.resolve();
      open.delete(connection);
      close(connection);
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
    url: `http://127.0.0.1:${listener.addr.port}`,
    requests,
    clientClosed: closed.promise,
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const connection of open) close(connection);
      await accepting.catch(() => {});
    },
  };
}

/** Sends the text (one byte per character) and resolves with all that comes until the end. */
export async function exchange(port: number, text: string): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(bytes(text));
  return await readToEnd(connection);
}

/** Everything that still comes, as latin1; ends with `<reset>` if the connection broke. */
export async function readToEnd(connection: Deno.Conn): Promise<string> {
  let text = "";
  const buffer = new Uint8Array(65536);
  try {
    for (;;) {
      const count = await connection.read(buffer);
      if (count === null) return text;
      text += latin1.decode(buffer.subarray(0, count));
    }
  } catch {
    return text + "<reset>";
  }
}

/** One message with the body that its content-length announces; null at the end of the stream. */
export async function readMessage(connection: Deno.Conn): Promise<string | null> {
  let text = "";
  const buffer = new Uint8Array(65536);
  for (;;) {
    const count = await connection.read(buffer);
    if (count === null) return null;
    text += latin1.decode(buffer.subarray(0, count));
    const end = text.indexOf("\r\n\r\n");
    if (end < 0) continue;
    const length = Number(/content-length: (\d+)/i.exec(text.slice(0, end))?.[1] ?? 0);
    if (text.length >= end + 4 + length) return text;
  }
}

/** One byte per character. */
export function bytes(text: string): Uint8Array {
  return [...text].every((character) => character < "\x80")
    ? encoder.encode(text)
    : Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // closed before
  }
}
