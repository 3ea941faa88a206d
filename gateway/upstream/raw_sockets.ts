/** For tests: peers that speak bytes, so that they can be as wrong as real ones. */

const encoder = new TextEncoder();
const latin1 = new TextDecoder("latin1");

/** A server that shows what it was sent. */
export interface RawBackend extends AsyncDisposable {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** Each request as received: its head, and the body as far as content-length announces one. */
  readonly requests: string[];
  /** That were accepted so far. */
  readonly connections: number;
  /** Resolves when a connection was closed by the other side. */
  readonly clientClosed: Promise<void>;
}

/** Called for each request; a string is written as it is, and then the connection is closed. */
export type Answer = string | ((connection: Deno.Conn, request: string) => Promise<void>);

/** Where a backend listens if it is not on 127.0.0.1, without TLS. */
export interface Listening {
  readonly listener: Deno.Listener<Deno.Conn, Deno.NetAddr>;
  readonly origin: string;
}

export function rawBackend(answer: Answer, at: Listening = listenOn("127.0.0.1")): RawBackend {
  const { listener, origin } = at;
  const open = new Set<Deno.Conn>();
  const requests: string[] = [];
  const closed = Promise.withResolvers<void>();
  let connections = 0;

  async function serve(connection: Deno.Conn): Promise<void> {
    open.add(connection);
    connections++;
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
    url: origin,
    requests,
    get connections() {
      return connections;
    },
    clientClosed: closed.promise,
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const connection of open) close(connection);
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
      parts.push(latin1.decode(buffer.subarray(0, count)));
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
    text += latin1.decode(buffer.subarray(0, count));
    if (isEnough(text)) return text;
  }
}

/** One message with the body that its content-length announces; null at the end of the stream. */
export function readMessage(connection: Deno.Conn): Promise<string | null> {
  return readUntil(connection, (text) => {
    const end = text.indexOf("\r\n\r\n");
    if (end < 0) return false;
    const length = Number(/content-length: (\d+)/i.exec(text.slice(0, end))?.[1] ?? 0);
    return text.length >= end + 4 + length;
  });
}

/** One byte per character. */
export function bytes(text: string): Uint8Array {
  // deno-lint-ignore no-control-regex -- what is not ASCII
  return /^[\0-\x7f]*$/.test(text)
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
