import type { Logger } from "../../store/log.ts";
import { FrontConnection, type FrontHandler } from "./front_connection.ts";
import { type FrontSettings, TooManyConnections } from "./front_settings.ts";
import type { ListenAddress, Server } from "../server.ts";
import { ReplyWriter } from "./reply_writer.ts";
import { Deadline } from "./deadline.ts";

/** How late, in ms, a deadline of a connection may be noticed. */
const sweepMs = 250;
/** Milliseconds until the next try to accept, after the process had no file descriptor left. */
const acceptRetryMs = 50;
/** Connections that are given up at once to get file descriptors back. */
const givenUpAtOnce = 64;

/**
 * The gateway's own HTTP/1.1 server. `Deno.serve` has no timeouts for connections on which nothing or
 * little comes, and its accept loop ends when file descriptors run out; this one is also cheaper
 * (ARCHITECTURE.md has the figures).
 */
export class FrontServer implements Server {
  readonly address: ListenAddress;
  readonly #listener: Deno.TcpListener;
  readonly #connections = new Set<FrontConnection>();
  #sweeping: ReturnType<typeof setInterval>;
  #now = performance.now();
  #ending = false;
  #closing = false;
  #whenEmpty: (() => void) | undefined;

  /** @throws {Error} naming the address when it cannot be listened on */
  constructor(
    listen: ListenAddress,
    private readonly settings: FrontSettings,
    private readonly handler: FrontHandler,
    private readonly log: Logger,
    reusePort = false,
  ) {
    const { hostname, port } = listen;
    try {
      this.#listener = Deno.listen({ hostname, port, reusePort });
    } catch (cause) {
      const reason = (cause as Error).message;
      throw new Error(`gateway cannot listen on ${hostname}:${port}: ${reason}`, { cause });
    }
    this.address = { hostname: this.#listener.addr.hostname, port: this.#listener.addr.port };
    this.#sweeping = setInterval(() => this.#sweep(), sweepMs);
    this.#accept();
  }

  /** Open connections of clients. */
  get connections(): number {
    return this.#connections.size;
  }

  /** From now on each connection is closed after its next reply, so that its client goes elsewhere. */
  sendElsewhere(): void {
    this.#ending = true;
  }

  async drain(timeoutMs: number): Promise<boolean> {
    this.#ending = this.#closing = true;
    this.#listener.close();
    for (const connection of this.#connections) {
      if (connection.idleSince !== undefined) connection.close();
    }
    const clean = await this.#emptyWithin(timeoutMs);
    clearInterval(this.#sweeping);
    for (const connection of this.#connections) connection.close();
    return clean;
  }

  async #emptyWithin(timeoutMs: number): Promise<boolean> {
    if (this.#connections.size === 0) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#whenEmpty = () => resolve(true);
    const timer = setTimeout(() => resolve(false), timeoutMs);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
    }
  }

  async #accept(): Promise<void> {
    while (!this.#closing) {
      try {
        this.#open(await this.#listener.accept());
      } catch (error) {
        if (this.#closing) return;
        // Out of file descriptors, most likely: those of clients that wait for nothing come back first.
        this.log.error("cannot accept connections", {
          reason: String(error),
          open: this.#connections.size,
        });
        this.#giveUpIdle(givenUpAtOnce);
        await new Promise((next) => setTimeout(next, acceptRetryMs));
      }
    }
  }

  #open(accepted: Deno.TcpConn): void {
    if (this.#connections.size >= this.settings.maxConnections && !this.#giveUpIdle(1)) {
      return this.#turnAway(accepted);
    }
    const connection = new FrontConnection(
      accepted,
      this.settings,
      this.handler,
      () => this.#now,
      () => this.#ending,
    );
    this.#connections.add(connection);
    connection.serve().finally(() => {
      this.#connections.delete(connection);
      if (this.#connections.size === 0) this.#whenEmpty?.();
    });
  }

  /** Every connection is busy: says so without reading what it would have asked. */
  #turnAway(accepted: Deno.TcpConn): void {
    const deadline = new Deadline(() => this.#now, this.settings.clientRate);
    const reply = this.handler.refuse(new TooManyConnections());
    new ReplyWriter(accepted, deadline, 0).write(reply, "GET", true, false)
      .catch(() => {}).finally(() => accepted.close());
  }

  /**
   * Closes the connections that have waited longest for a request, or for the rest of its head.
   * @returns whether there was one
   */
  #giveUpIdle(count: number): boolean {
    for (let given = 0; given < count; given++) {
      let oldest: FrontConnection | undefined;
      for (const connection of this.#connections) {
        const since = connection.idleSince;
        if (since !== undefined && since < (oldest?.idleSince ?? Infinity)) oldest = connection;
      }
      if (oldest === undefined) return given > 0;
      oldest.close();
    }
    return true;
  }

  #sweep(): void {
    this.#now = performance.now();
    for (const connection of this.#connections) connection.expire(this.#now);
  }
}
