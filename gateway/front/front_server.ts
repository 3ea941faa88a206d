import type { Logger } from "../../store/log.ts";
import { FrontConnection, type FrontHandler } from "./front_connection.ts";
import { type FrontSettings, TooManyConnections } from "./front_settings.ts";
import { LongestIdle } from "./longest_idle.ts";
import { cannotListen, type ListenAddress, type Server } from "../server.ts";

/** How late, in ms, a deadline of a connection may be noticed. */
const defaultSweepMs = 250;
/** Connections that the system keeps until they are accepted: those of one burst. */
const tcpBacklog = 4096;
/** Milliseconds until the next try to accept, after the process had no file descriptor left. */
const acceptRetryMs = 50;
/** What is kept of the connections when file descriptors run out: calls to backends need some, too. */
const keptShare = 0.75;
/** Milliseconds after which more connections are tried again, and by how much more at each sweep. */
const growAfterMs = 30_000;
const growth = 1.01;
/** Milliseconds in which one line of the log says that connections cannot be accepted. */
const tellAgainMs = 1_000;
/**
 * Clients that are being turned away at a time, each with a reply; others are only closed. When file
 * descriptors are short, so are those for them.
 */
const maxTurnedAway = 1024;
const turnedAwayShare = 1 / 8;

/**
 * The gateway's own HTTP/1.1 server. `Deno.serve` has no timeouts for connections on which nothing or
 * little comes, and its accept loop ends when file descriptors run out; this one is also cheaper
 * (ARCHITECTURE.md has the figures).
 */
export class FrontServer implements Server {
  readonly address: ListenAddress;
  readonly #listener: Deno.TcpListener;
  readonly #connections = new Set<FrontConnection>();
  /** Besides those: they take no place from those that are served. */
  readonly #turnedAway = new Set<FrontConnection>();
  readonly #longestIdle = new LongestIdle(this.#connections);
  readonly #sweeping: ReturnType<typeof setInterval>;
  /** Less than what the settings allow after file descriptors ran out. */
  #maxConnections: number;
  #ranOutAt = -Infinity;
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
    this.#maxConnections = settings.maxConnections;
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
        await this.#open(await this.#listener.accept());
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
    const { code } = error as { code?: string };
    if (code !== "EMFILE" && code !== "ENFILE") return;
    this.#ranOutAt = now;
    this.#maxConnections = Math.max(1, Math.floor(this.#connections.size * keptShare));
    for (const connection of this.#turnedAway) connection.close();
    for (let left = this.#connections.size; left > this.#maxConnections; left--) {
      this.#longestIdle.take()?.close();
    }
  }

  async #open(accepted: Deno.TcpConn): Promise<void> {
    const hasPlace = this.#connections.size < this.#maxConnections || await this.#makePlace();
    if (this.#closing) return accepted.close();
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
      this.#turnedAway.delete(connection);
      if (this.#connections.size === 0) this.#whenEmpty?.();
    });
    if (!hasPlace) this.#turnAway(connection);
  }

  /** The connection that has waited longest for its client has to go. False: there is none. */
  async #makePlace(): Promise<boolean> {
    const connection = this.#longestIdle.take();
    if (connection === undefined) return false;
    if (connection.isNew && this.#turnAway(connection)) return true;
    connection.close();
    // More file descriptors than there may be connections must not be in use even for a moment.
    await connection.ended;
    return true;
  }

  /** @returns whether it could be told; it is closed without a word otherwise */
  #turnAway(connection: FrontConnection): boolean {
    const { maxConnections } = this.settings;
    const isShort = this.#maxConnections < maxConnections;
    const most = isShort ? this.#maxConnections * turnedAwayShare : maxTurnedAway;
    const canBeTold = this.#turnedAway.size < most;
    if (canBeTold) {
      this.#connections.delete(connection);
      this.#turnedAway.add(connection);
      connection.turnAway(new TooManyConnections());
    } else connection.close();
    return canBeTold;
  }

  #sweep(): void {
    const now = this.#now = performance.now();
    for (const connection of this.#all()) connection.expire(now);
    const { maxConnections } = this.settings;
    if (this.#maxConnections < maxConnections && now - this.#ranOutAt > growAfterMs) {
      this.#maxConnections = Math.min(maxConnections, Math.ceil(this.#maxConnections * growth));
    }
  }

  *#all(): Generator<FrontConnection> {
    yield* this.#connections;
    yield* this.#turnedAway;
  }
}
