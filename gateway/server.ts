import type { Logger } from "../store/log.ts";

/** Where to listen; port 0 takes any free one. */
export interface ListenAddress {
  readonly hostname: string;
  readonly port: number;
}

/** A listening HTTP server. */
export interface Server {
  readonly address: ListenAddress;
  /**
   * Accepts no more and lets replies in progress end, streams included, for `timeoutMs`.
   * @returns whether all of them ended
   */
  drain(timeoutMs: number): Promise<boolean>;
}

/**
 * A port that several isolates share can also be shared with another process, without a word: two
 * gateways would each get a part of the requests.
 * @throws {Error} naming the address when somebody listens there
 */
export function checkUnused(name: string, { hostname, port }: ListenAddress): void {
  try {
    Deno.listen({ hostname, port }).close();
  } catch (cause) {
    throw cannotListen(name, { hostname, port }, cause);
  }
}

/** What is said when an address cannot be listened on. */
export function cannotListen(
  name: string,
  { hostname, port }: ListenAddress,
  cause: unknown,
): Error {
  const reason = (cause as Error).message;
  return new Error(`${name} cannot listen on ${hostname}:${port}: ${reason}`, { cause });
}

/** Milliseconds between the end of an accept loop and the next attempt to listen. */
const restartDelayMs = 100;

/**
 * `Deno.serve` that survives the end of its accept loop: running out of file descriptors rejects
 * `finished`, which would end the process, while listening again recovers (measured).
 * @throws {Error} naming the address when it cannot be listened on at start
 */
export function serve(
  name: string,
  listen: ListenAddress,
  handler: Deno.ServeHandler<Deno.NetAddr>,
  log: Logger,
): Server {
  let draining = false;
  let server = open(listen);
  const { hostname, port } = server.addr;
  const address = { hostname, port };

  function open(at: ListenAddress) {
    let opened;
    try {
      opened = Deno.serve({ ...at, onListen: () => {}, onError }, handler);
    } catch (cause) {
      throw cannotListen(name, at, cause);
    }
    opened.finished.catch((error) => restart(error));
    return opened;
  }

  function restart(error: unknown): void {
    if (draining) return;
    log.error("accept loop ended, listening again", { server: name, error: String(error) });
    setTimeout(() => {
      try {
        if (!draining) server = open(address);
      } catch (again) {
        restart(again);
      }
    }, restartDelayMs);
  }

  function onError(error: unknown): Response {
    // Handlers answer every failure themselves; this is the net below them.
    log.error("unanswered failure", { server: name, error: String(error) });
    return new Response(null, { status: 500 });
  }

  async function drain(timeoutMs: number): Promise<boolean> {
    draining = true;
    const ended = server.shutdown().then(() => true);
    const { promise: timeout, resolve } = Promise.withResolvers<false>();
    const timer = setTimeout(() => resolve(false), timeoutMs);
    try {
      return await Promise.race([ended, timeout]);
    } finally {
      clearTimeout(timer);
    }
  }

  return { address, drain };
}
