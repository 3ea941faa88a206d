/**
 * When the server closes a connection on which it has answered with keep-alive: right after the reply
 * was taken, as when a keep-alive timeout runs out, or when it has read a second request, which is
 * what a client sees when the timeout runs out at the worst moment. A client that sends the request
 * again makes it happen twice.
 */
export type WhenItCloses = "after-reply" | "at-second-request";

export interface ClosingServer extends AsyncDisposable {
  readonly url: string;
  /** Request lines that were read, answered or not. */
  readonly requests: string[];
}

/** `bodyFor` gets the request line and gives the JSON to answer with. */
export function startClosingServer(
  bodyFor: (requestLine: string) => unknown,
  when: WhenItCloses,
): ClosingServer {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const requests: string[] = [];

  async function serve(connection: Deno.Conn): Promise<void> {
    using open = connection;
    for (let first = true;; first = false) {
      const line = await readRequest(open);
      if (line === undefined) return;
      requests.push(line);
      if (!first) return;
      const body = JSON.stringify(bodyFor(line));
      const head = `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n`;
      await open.write(new TextEncoder().encode(head + body));
      if (when === "after-reply") return;
    }
  }

  const accepting = (async () => {
    for await (const connection of listener) serve(connection).catch(() => {});
  })();

  return {
    url: `http://127.0.0.1:${listener.addr.port}`,
    requests,
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
    },
  };
}

/** The first line of a request that was read to its end; `undefined` when the client has left. */
async function readRequest(connection: Deno.Conn): Promise<string | undefined> {
  const buffer = new Uint8Array(64 * 1024);
  let text = "";
  for (;;) {
    const [head, body] = text.split("\r\n\r\n", 2);
    const length = Number(/content-length: (\d+)/i.exec(head ?? "")?.[1] ?? 0);
    if (body !== undefined && body.length >= length) return head!.split("\r\n")[0];
    const read = await connection.read(buffer);
    if (read === null) return undefined;
    text += new TextDecoder().decode(buffer.subarray(0, read));
  }
}
