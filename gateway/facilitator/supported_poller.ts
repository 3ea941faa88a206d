import type { FacilitatorSupport, SupportedKind } from "../../store/facilitator_support.ts";
import type { Logger } from "../../store/log.ts";
import type { RouteSnapshot } from "../../store/route_snapshot.ts";

/** `GET /supported` of a facilitator (x402-specification-v2.md, section 7.3); rejects in an outage. */
export type AskSupported = (
  facilitatorUrl: string,
  signal: AbortSignal,
) => Promise<{ readonly kinds: readonly SupportedKind[] }>;

/** Where answers go, and milliseconds between questions. */
export interface FacilitatorPolling {
  readonly support: FacilitatorSupport;
  /** Between an answer and the next question. */
  readonly refreshMs: number;
  /** After the first failure; doubled with each further one, up to the limit. */
  readonly retryMs: number;
  readonly maxRetryMs: number;
}

/** Calls back after some milliseconds, unless what it returns is called before. */
export type Schedule = (callback: () => void, ms: number) => () => void;

/** A cluster may name any number of facilitators, and requests need sockets too. */
const maxAtOnce = 4;

interface Polled {
  readonly url: string;
  failures: number;
  cancel: () => void;
}

/**
 * Asks the facilitators of the routes in force what they support: at once when a facilitator is
 * new, and from then on again and again. Nothing waits for an answer, so a facilitator that is away
 * when the gateway starts keeps nobody from paying through the others.
 */
export class SupportedPoller {
  readonly #polled = new Map<string, Polled>();
  /** Those whose time has come, in that order. */
  readonly #due = new Set<Polled>();
  readonly #closing = new AbortController();
  #asking = 0;

  constructor(
    private readonly ask: AskSupported,
    private readonly polling: FacilitatorPolling,
    private readonly log: Logger,
    private readonly schedule: Schedule = onTimer,
  ) {}

  /** Asks the facilitators of this snapshot from now on, and forgets all others. */
  follow(snapshot: RouteSnapshot): void {
    if (this.#closing.signal.aborted) return;
    const urls = facilitatorsOf(snapshot);
    for (const [url, gone] of this.#polled) {
      if (urls.has(url)) continue;
      this.#polled.delete(url);
      this.#due.delete(gone);
      gone.cancel();
    }
    this.polling.support.keep(urls);
    for (const url of urls) {
      if (this.#polled.has(url)) continue;
      const polled = { url, failures: 0, cancel: () => {} };
      this.#polled.set(url, polled);
      this.#due.add(polled);
    }
    this.#askNext();
  }

  close(): void {
    this.#closing.abort();
    for (const { cancel } of this.#polled.values()) cancel();
    this.#polled.clear();
    this.#due.clear();
  }

  #askNext(): void {
    for (const polled of this.#due) {
      if (this.#asking >= maxAtOnce) return;
      this.#due.delete(polled);
      this.#asking++;
      this.#askOne(polled).finally(() => {
        this.#asking--;
        this.#askNext();
      });
    }
  }

  /** Never rejects. */
  async #askOne(polled: Polled): Promise<void> {
    const { url } = polled;
    // Gone from the routes in the meantime: it may be back by now, asked for anew.
    const isOver = () => this.#polled.get(url) !== polled;
    let waitMs = this.polling.refreshMs;
    try {
      const { kinds } = await this.ask(url, this.#closing.signal);
      if (isOver()) return;
      this.polling.support.set(url, kinds);
      if (polled.failures > 0) {
        this.log.info("facilitator says again what it supports", { facilitator: url });
      }
      polled.failures = 0;
    } catch (error) {
      if (isOver()) return;
      if (polled.failures === 0) this.#warn(url, error);
      waitMs = Math.min(this.polling.retryMs * 2 ** polled.failures++, this.polling.maxRetryMs);
    }
    polled.cancel = this.schedule(() => {
      this.#due.add(polled);
      this.#askNext();
    }, waitMs);
  }

  /** Once an outage: what becomes of payments is told by the payments. */
  #warn(url: string, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    const fields = { facilitator: url, reason };
    this.log.warn("facilitator does not say what it supports, it is asked again", fields);
  }
}

function onTimer(callback: () => void, ms: number): () => void {
  const timer = setTimeout(callback, ms);
  return () => clearTimeout(timer);
}

/** Those of paths that are served for a last moment, too. */
function facilitatorsOf(snapshot: RouteSnapshot): ReadonlySet<string> {
  const ingresses = [...snapshot.ingresses, ...snapshot.fallback?.ingresses ?? []];
  const urls = new Set<string>();
  for (const { rules } of ingresses) {
    for (const { access } of rules) {
      if (access.kind === "paid") urls.add(access.terms.facilitatorUrl);
    }
  }
  return urls;
}
