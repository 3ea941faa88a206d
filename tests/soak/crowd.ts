import { Random } from "../fuzz/random.ts";
import type { ClientBed, ClientGroup, ClientTools } from "./client.ts";
import { hostileClients } from "./hostile_clients.ts";
import { Lane } from "./lane.ts";
import { paidClients } from "./paid_clients.ts";
import { plainClients } from "./plain_clients.ts";
import { streamingClients } from "./streaming_clients.ts";
import { pause } from "./pause.ts";

/** All kinds, in the numbers that make the mix of a soak. */
export const everybody: readonly ClientGroup[] = [
  ...plainClients,
  ...paidClients,
  ...streamingClients,
  ...hostileClients,
];

/** Payments a second that these clients make at most; so many have to be signed beforehand. */
export const paymentsPerSecond = paidClients.reduce(
  (sum, { clients, pauseMs }) => sum + clients * 1_000 / pauseMs,
  0,
);

/** Clients at once, each with its own address and its own sequence of random numbers. */
export class Crowd {
  readonly #stop = new AbortController();
  readonly #running: Promise<unknown>;

  constructor(bed: ClientBed, seed: number, groups = everybody) {
    let number = 0;
    const clients = groups.flatMap((group) =>
      Array.from(
        { length: group.clients },
        () => this.#run(group, toolsOf(bed, group, seed, number++)),
      )
    );
    this.#running = Promise.all(clients);
  }

  /** Rejects when a client itself is at fault. */
  get running(): Promise<unknown> {
    return this.#running;
  }

  /** Lets all visits end. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run({ visit, pauseMs }: ClientGroup, client: ClientTools): Promise<void> {
    const { signal } = this.#stop;
    using _lane = client.lane;
    while (!signal.aborted) {
      const since = performance.now();
      try {
        await visit(client);
      } catch (error) {
        if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
        client.journal.saw(client.kind, "refused", since);
      }
      await pause(client.random.below(2 * pauseMs), signal);
    }
  }
}

/** @param number of the client; its address is made of it */
export function toolsOf(
  bed: ClientBed,
  { kind }: Pick<ClientGroup, "kind">,
  seed: number,
  number: number,
): ClientTools {
  return {
    ...bed,
    kind,
    random: new Random(seed, 100 + number),
    lane: new Lane(bed.port),
    address: ["x-forwarded-for", `10.1.${number >> 8}.${number & 255}`],
  };
}
