import type { UpstreamLoad } from "../../store/gateway_metrics.ts";
import type { Abort } from "./abort.ts";
import { dial, type DialSettings } from "./dial.ts";
import { UpstreamFailure } from "./transport.ts";
import { UpstreamConnection } from "./upstream_connection.ts";

/** Limits of the connections to one backend. */
export interface PoolLimits {
  readonly maxConnections: number;
  /** Requests that may wait for one of them; for no longer than a connection may take. */
  readonly maxWaiting: number;
  /** Idle ones that are kept. */
  readonly maxIdle: number;
  /** That an idle one is kept, in ms. */
  readonly idleMs: number;
  /**
   * That one may have been idle for a request that is sent only once, in ms: less than any server's
   * keep-alive timeout, which could run out while the request is on its way.
   */
  readonly onceIdleMs: number;
}

interface Waiting {
  readonly resolve: (connection: UpstreamConnection | undefined) => void;
  readonly fresh: boolean;
}

/** The connections to one backend. */
export class ConnectionPool {
  /** The last one to come back is the first to go out: the others can age. */
  readonly #idle: { readonly connection: UpstreamConnection; readonly since: number }[] = [];
  readonly #queue: Waiting[] = [];
  /** Places that are taken, also by what is being opened. */
  #open = 0;
  #closing = false;

  constructor(
    private readonly origin: string,
    private readonly limits: PoolLimits,
    private readonly dialing: DialSettings,
  ) {}

  /** Nothing of it is in use. */
  get isEmpty(): boolean {
    return this.#open === 0 && this.#queue.length === 0;
  }

  /** What is being opened is in use. */
  get load(): UpstreamLoad {
    const idle = this.#idle.length;
    return { inUse: this.#open - idle, idle, waiting: this.#queue.length };
  }

  /**
   * An idle connection, if there is one.
   * @param once for a request that must not be sent again
   */
  takeIdle(once: boolean): UpstreamConnection | undefined {
    for (let last; (last = this.#idle.at(-1)) !== undefined;) {
      if (once && performance.now() - last.since > this.limits.onceIdleMs) return undefined;
      this.#idle.pop();
      last.connection.wake();
      // Its end, or what would be taken for the next reply, may have come without having been told yet.
      if (last.connection.isQuiet) return last.connection;
      last.connection.close();
    }
  }

  /**
   * @param fresh one that no request has been on
   * @throws {UpstreamFailure} `upstream_busy`, `upstream_unreachable`, `upstream_timeout`, all unsent
   */
  async acquire(fresh: boolean, abort: Abort): Promise<UpstreamConnection> {
    const idle = fresh ? undefined : this.takeIdle(false);
    if (idle !== undefined) return idle;
    if (this.#open >= this.limits.maxConnections && !this.#makePlace()) {
      const waited = await this.#wait(fresh, abort);
      if (waited !== undefined) return waited;
    } else this.#open++;
    return await this.#dial(abort);
  }

  /** For the next request: the connection is as it was when it was new. */
  release(connection: UpstreamConnection): void {
    const next = this.#queue[0];
    if (next?.fresh === false) {
      this.#queue.shift();
      return next.resolve(connection);
    }
    // Who wants a fresh one gets the place of this one: nobody waits behind those that came later.
    const isWanted = next === undefined && this.#idle.length < this.limits.maxIdle;
    if (!isWanted || this.#closing) return connection.close();
    const entry = { connection, since: performance.now() };
    this.#idle.push(entry);
    connection.rest(() => {
      const index = this.#idle.indexOf(entry);
      if (index >= 0) this.#idle.splice(index, 1);
      connection.close();
    });
  }

  /** Closes what has been idle for too long; `now` in ms of `performance.now`. */
  closeIdle(now: number): void {
    const oldest = now - this.limits.idleMs;
    while (this.#idle.length > 0 && this.#idle[0]!.since <= oldest) {
      this.#idle.shift()!.connection.close();
    }
  }

  /** Closes what is idle, and from now on whatever comes back. */
  close(): void {
    this.#closing = true;
    this.closeIdle(Infinity);
  }

  /** One that is idle has to go where a fresh one is wanted. */
  #makePlace(): boolean {
    const oldest = this.#idle.shift();
    if (oldest === undefined) return false;
    oldest.connection.close();
    return true;
  }

  /** @returns a connection, or nothing but the right to open one */
  #wait(fresh: boolean, abort: Abort): Promise<UpstreamConnection | undefined> {
    if (this.#queue.length >= this.limits.maxWaiting) throw this.#busy();
    const { promise, resolve, reject } = Promise.withResolvers<UpstreamConnection | undefined>();
    const waiting: Waiting = {
      fresh,
      resolve(connection) {
        clearTimeout(timer);
        abort.onAbort = undefined;
        resolve(connection);
      },
    };
    const giveUp = (error: unknown) => {
      clearTimeout(timer);
      const index = this.#queue.indexOf(waiting);
      if (index >= 0) this.#queue.splice(index, 1);
      reject(error);
    };
    const timer = setTimeout(() => giveUp(this.#busy()), this.dialing.connectMs);
    this.#queue.push(waiting);
    abort.onAbort = giveUp;
    return promise;
  }

  async #dial(abort: Abort): Promise<UpstreamConnection> {
    const opened = await dial(this.origin, this.dialing, abort, () => this.#closed());
    return new UpstreamConnection(opened, () => this.#closed());
  }

  /** One connection less: whoever waits first may open one. */
  #closed(): void {
    const next = this.#queue.shift();
    if (next === undefined) this.#open--;
    else next.resolve(undefined);
  }

  #busy(): UpstreamFailure {
    const { maxConnections } = this.limits;
    const detail = `all ${maxConnections} connections to the backend are in use`;
    return new UpstreamFailure("upstream_busy", detail, "no");
  }
}
