import { GatewayClient } from "./cluster_gateway_client.ts";
import type { Shop } from "./cluster_shops.ts";

/** Ms between two requests. */
const pace = 5;

/** What requests were answered with while the operator started; statuses and how often. */
export interface Answers {
  readonly paid: Readonly<Record<string, number>>;
  readonly free: Readonly<Record<string, number>>;
  /** Answers that nobody should have got, as sentences. */
  readonly wrong: readonly string[];
}

/**
 * Asks for paid and free paths of ever other shops, from now until it is stopped. While the operator
 * is not ready, 503 is right as well; afterwards only what the manifests say.
 */
export class Probe {
  readonly #answers = { paid: {}, free: {}, wrong: [] as string[] };
  readonly #abort = new AbortController();
  readonly #done: Promise<void>;
  #isReady = false;

  constructor(gatewayUrl: string, shops: readonly Shop[]) {
    this.#done = this.#run(gatewayUrl, shops);
  }

  /** From the next request on, 503 is wrong. */
  expectAll(): void {
    this.#isReady = true;
  }

  async stop(): Promise<Answers> {
    this.#abort.abort();
    await this.#done;
    return this.#answers;
  }

  async #run(gatewayUrl: string, shops: readonly Shop[]): Promise<void> {
    using gateway = new GatewayClient(gatewayUrl);
    for (let turn = 0; !this.#abort.signal.aborted; turn++) {
      await this.#ask(
        gateway,
        shops[(turn * 37) % shops.length]!,
        turn % 2 === 0 ? "paid" : "free",
      );
      await new Promise((resolve) => setTimeout(resolve, pace));
    }
  }

  async #ask(gateway: GatewayClient, { host }: Shop, kind: "paid" | "free"): Promise<void> {
    const wasReady = this.#isReady;
    const status = await gateway.status(host, kind === "paid" ? "/api/data" : "/docs");
    const counts: Record<string, number> = this.#answers[kind];
    counts[status] = (counts[status] ?? 0) + 1;
    const expected = kind === "paid" ? "402" : "200";
    if (status !== expected && (wasReady || status !== "503")) {
      this.#answers.wrong.push(`${kind} path of ${host}: ${status}`);
    }
  }
}
