import { Random } from "../fuzz/random.ts";
import type { FaultLog } from "./fault_log.ts";
import type { SoakBackend } from "./soak_backend.ts";
import type { FacilitatorFault, SoakFacilitator } from "./soak_facilitator.ts";
import { settleTimeoutMs, verifyTimeoutMs } from "./soak_facilitator.ts";
import { pause } from "./pause.ts";

/** What can be made to fail, and who is to be told of it. */
export interface FaultTargets {
  readonly backend: SoakBackend;
  readonly facilitator: SoakFacilitator;
  readonly log: FaultLog;
}

/**
 * How long a fault of the facilitator is felt after its end, ms. Where `/supported` fails as well the
 * gateway's breaker opens: it tries again every 10 s, and such a try takes 3 s at most. Otherwise it
 * is a call that was under way.
 */
const breakerMs = 14_000;
const callMs = verifyTimeoutMs + settleTimeoutMs;
/** The same for the backend, ms: replies to connections that it lost are on their way. */
const restartMs = 200;

/** Makes one fault after the other until it is told to stop, and then no dependency fails. */
export class FaultMaker {
  readonly #stop = new AbortController();
  readonly #until: number;
  #running: Promise<unknown> = Promise.resolve();
  /** However short a soak is, there is one crash in it. */
  #hasCrashed = false;
  readonly #backendRandom: Random;
  readonly #facilitatorRandom: Random;

  /** @param forMs that faults are made for; with less than an outage's aftermath there are no outages */
  constructor(
    private readonly targets: FaultTargets,
    seed: number,
    forMs: number,
  ) {
    this.#backendRandom = new Random(seed, 1);
    this.#facilitatorRandom = new Random(seed, 2);
    this.#until = performance.now() + forMs;
  }

  start(): void {
    const { signal } = this.#stop;
    this.#running = Promise.all([
      repeat(() => this.#failBackend(), this.#backendRandom, signal),
      repeat(() => this.#failFacilitator(), this.#facilitatorRandom, signal),
    ]);
  }

  /** Rejects when a fault cannot be made. */
  get running(): Promise<unknown> {
    return this.#running;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #failBackend(): Promise<void> {
    const { backend, log } = this.targets;
    const random = this.#backendRandom;
    const isCrash = random.chance(0.7) || !this.#hasCrashed;
    this.#hasCrashed ||= isCrash;
    log.begin("backend", isCrash ? "crashes" : "freezes");
    if (isCrash) await backend.kill();
    else backend.freeze();
    await pause(300 + random.below(isCrash ? 1_200 : 4_500));
    if (isCrash) await backend.restart();
    else backend.thaw();
    log.end("backend", restartMs);
  }

  async #failFacilitator(): Promise<void> {
    const { facilitator, log } = this.targets;
    const random = this.#facilitatorRandom;
    const isOutage = random.chance(0.12) && performance.now() + breakerMs < this.#until;
    if (isOutage) {
      const fault = random.pick(["refuses", "resets", "hangs", "500"] as const);
      log.begin("facilitator", `out of order: ${fault}`);
      if (fault === "refuses") await facilitator.refuse();
      else facilitator.fail(["/verify", "/settle", "/supported"], fault);
    } else {
      const endpoint = random.pick(["/verify", "/settle"] as const);
      const fault = random.pick(faults);
      const settlesFirst = random.chance(0.5);
      const what = endpoint === "/verify"
        ? endpoint
        : `${settlesFirst ? "settled, " : ""}${endpoint}`;
      log.begin("facilitator", `${what}: ${fault}`);
      facilitator.fail([endpoint], fault, settlesFirst);
    }
    await pause(500 + random.below(1_500));
    facilitator.recover();
    log.end("facilitator", isOutage ? breakerMs : callMs);
  }
}

const faults: readonly FacilitatorFault[] = [
  ...["resets", "hangs", "500", "429"] as const,
  ...["garbage", "truncated", "late"] as const,
];

/** With pauses of 0.5 to 2.5 s between, in which everything has to work. */
async function repeat(
  make: () => Promise<void>,
  random: Random,
  stop: AbortSignal,
): Promise<void> {
  for (;;) {
    await pause(500 + random.below(2_000), stop);
    if (stop.aborted) return;
    await make();
  }
}
