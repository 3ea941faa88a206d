import { freePorts } from "../cluster/free_port.ts";

/**
 * What a Service is in Kubernetes: an address whose new connections go to its endpoints in turn.
 * Connections that are there stay where they are, also when their endpoint is taken out.
 */
export class TcpService implements AsyncDisposable {
  /** Ports on 127.0.0.1 that new connections go to. */
  endpoints: readonly number[] = [];
  readonly #open = new Set<Deno.TcpConn>();
  #listener: Deno.TcpListener | undefined;
  #accepting: Promise<void> | undefined;
  #next = 0;

  constructor(readonly port = freePorts(1)[0]!) {
    this.open();
  }

  /** Listens again after `close`. */
  open(): void {
    if (this.#listener !== undefined) return;
    const listener = Deno.listen({ hostname: "127.0.0.1", port: this.port });
    this.#listener = listener;
    this.#accepting = this.#accept(listener);
  }

  /** Nobody listens any more (new connections are refused), and all that there are break. */
  async close(): Promise<void> {
    this.#listener?.close();
    this.#listener = undefined;
    for (const connection of this.#open) close(connection);
    await this.#accepting;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #accept(listener: Deno.TcpListener): Promise<void> {
    const relays = new Set<Promise<void>>();
    for await (const client of listener) {
      const relay: Promise<void> = this.#relay(client).finally(() => relays.delete(relay));
      relays.add(relay);
    }
    await Promise.all(relays);
  }

  /** Never rejects: what goes wrong on one side becomes the end of the other. */
  async #relay(client: Deno.TcpConn): Promise<void> {
    this.#open.add(client);
    let endpoint: Deno.TcpConn | undefined;
    try {
      const port = this.endpoints[this.#next++ % this.endpoints.length];
      if (port === undefined) return;
      endpoint = await Deno.connect({ hostname: "127.0.0.1", port });
      this.#open.add(endpoint);
      if (this.#listener === undefined) return;
      await Promise.all([copy(client, endpoint), copy(endpoint, client)]);
    } catch {
      // Reset by one of them, or refused.
    } finally {
      for (const end of [client, endpoint]) {
        if (end === undefined) continue;
        this.#open.delete(end);
        close(end);
      }
    }
  }
}

/** Until the end of what `from` sends, which is passed on as such. */
async function copy(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(32 * 1024);
  for (;;) {
    const count = await from.read(buffer);
    if (count === null) return await to.closeWrite();
    for (let sent = 0; sent < count;) sent += await to.write(buffer.subarray(sent, count));
  }
}

function close(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
