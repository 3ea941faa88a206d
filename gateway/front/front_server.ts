import type { Logger } from "../../store/log.ts";
import { FrontConnection, type FrontHandler } from "./front_connection.ts";
import { type FrontSettings, TooManyConnections } from "./front_settings.ts";
import { cannotListen, type ListenAddress, type Server } from "../server.ts";

/** How late, in ms, a deadline of a connection may be noticed. */
const defaultSweepMs = 250;
/** Connections that the system keeps until they are accepted: those of one burst. */
const tcpBacklog = 4096;
/** Milliseconds until the next try to accept, after the process had no file descriptor left. */
const acceptRetryMs = 50;
/** Connections that are given up at once to get file descriptors back. */
const givenUpAtOnce = 64;
/** Milliseconds in which one line of the log says that connections cannot be accepted. */
const tellAgainMs = 1_000;
/** Clients that are turned away at a time, each with a reply; others are only closed. */
const maxTurnedAway = 256;

/**
 * The gateway's own HTTP/1.1 server. `Deno.serve` has no timeouts for connections on which nothing or
 * little comes, and its accept loop ends when file descriptors run out; this one is also cheaper
 * (ARCHITECTURE.md has the figures).
 */
export class FrontServer implements Server {
  readonly address: ListenAddress;
  readonly #listener: Deno.TcpListener;
  readonly #connections = new Set<FrontConnection>();
  /** Besides those: whoever they were turned away for must not be displaced by them. */
  readonly #turnedAway = new Set<FrontConnection>();
  #sweeping: ReturnType<typeof setInterval>;
  #now = performance.now();
  #toldAt = -Infinity;
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
      this.#listener = Deno.listen({ hostname, port, reusePort, tcpBacklog });
    } catch (cause) {
      throw cannotListen("gateway", listen, cause);
    }
    this.address = { hostname: this.#listener.addr.hostname, port: this.#listener.addr.port };
    this.#sweeping = setInterval(() => this.#sweep(), settings.sweepMs ?? defaultSweepMs);
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
    for (const connection of this.#connections) if (connection.isQuiet) connection.close();
    const clean = await this.#emptyWithin(timeoutMs);
    clearInterval(this.#sweeping);
    for (const connection of this.#all()) connection.close();
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
        this.#makeRoom(error);
        await new Promise((next) => setTimeout(next, acceptRetryMs));
      }
    }
  }

  /** After a connection could not be accepted. */
  #makeRoom(error: unknown): void {
    const now = performance.now();
    if (now - this.#toldAt >= tellAgainMs) {
      this.#toldAt = now;
      const open = this.#connections.size;
      this.log.error("cannot accept connections", { reason: String(error), open });
    }
    // Out of file descriptors, in the process or the system: those of clients that wait come back.
    const { code } = error as { code?: string };
    if (code === "EMFILE" || code === "ENFILE") this.#giveUpIdle(givenUpAtOnce);
  }

  #open(accepted: Deno.TcpConn): void {
    const { maxConnections } = this.settings;
    const isFull = this.#connections.size >= maxConnections && !this.#giveUpIdle(1);
    if (isFull && this.#turnedAway.size >= maxTurnedAway) return accepted.close();
    const connection = new FrontConnection(
      accepted,
      this.settings,
      this.handler,
      () => this.#now,
      () => this.#ending,
    );
    const set = isFull ? this.#turnedAway : this.#connections;
    set.add(connection);
    const served = isFull ? connection.turnAway(new TooManyConnections()) : connection.serve();
    served.finally(() => {
      set.delete(connection);
      if (this.#connections.size === 0) this.#whenEmpty?.();
    });
  }

  /**
   * Closes the connections that have waited longest for their client.
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
    for (const connection of this.#all()) connection.expire(this.#now);
  }

  *#all(): Generator<FrontConnection> {
    yield* this.#connections;
    yield* this.#turnedAway;
  }
}
