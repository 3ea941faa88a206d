import { cpuSecondsOf } from "./libc_cpu_clock.ts";
import { LibcSockets } from "./libc_sockets.ts";
import { hostOf } from "./manifests.ts";
import type { LoadPlan, LoadResult } from "./load_plan.ts";
import { ReplyReader } from "./reply_reader.ts";
import { paymentHeaders } from "./unsigned_payment.ts";

/** Ms without a single reply after which the load is given up. */
const silence = 15_000;

/** Request bytes are made before the clock starts. */
function prepareRequests(plan: LoadPlan): Uint8Array<ArrayBuffer>[] {
  const { path, hosts, connections, paymentFor, maxRequests } = plan;
  const payments = paymentFor === undefined
    ? undefined
    : paymentHeaders(paymentFor, maxRequests + connections);
  const encoder = new TextEncoder();
  return Array.from({ length: payments?.length ?? hosts }, (_, index) => {
    // A stride, so that what lies side by side in the server's memory is not asked for in order.
    const host = hostOf((index * 7919) % hosts);
    const head = `GET ${path} HTTP/1.1\r\nhost: ${host}\r\nuser-agent: bench\r\n`;
    return encoder.encode(`${head}${payments?.[index] ?? ""}\r\n`);
  });
}

/**
 * Runs the load in this thread, which it blocks.
 * @throws {Error} at the first reply that is not the expected one
 */
export function runLoad(plan: LoadPlan): LoadResult {
  using load = new Load(plan);
  // Accepting connections is not part of what is measured.
  load.run(() => load.sent < plan.connections);
  const [ownCpu, serverCpu] = [cpuSecondsOf([Deno.pid]), cpuSecondsOf(plan.pids)];
  const requestsBefore = load.sent;
  const start = performance.now();
  const end = start + plan.seconds * 1000;
  const last = requestsBefore + plan.maxRequests;
  load.latencies.length = 0;
  load.run((now) => load.sent < last && now < end);
  const seconds = (performance.now() - start) / 1000;
  const serverCpuSeconds = cpuSecondsOf(plan.pids) - serverCpu;
  const generatorCpuSeconds = cpuSecondsOf([Deno.pid]) - ownCpu;
  const latencies = Float64Array.from(load.latencies).sort();
  return {
    requests: latencies.length,
    seconds,
    serverCpuSeconds,
    generatorCpuSeconds,
    p50: latencies[Math.floor(latencies.length * 0.5)]!,
    p99: latencies[Math.floor(latencies.length * 0.99)]!,
  };
}

/** Connections, each with a request under way or none. */
class Load implements Disposable {
  sent = 0;
  readonly latencies: number[] = [];
  readonly #sockets: LibcSockets;
  readonly #requests: Uint8Array<ArrayBuffer>[];
  /** By the number of the socket, as all that follows. */
  readonly #readers: ReplyReader[] = [];
  /** When the request was sent; `NaN` once its latency is known. */
  readonly #started: number[] = [];

  constructor(plan: LoadPlan) {
    this.#requests = prepareRequests(plan);
    this.#sockets = new LibcSockets(plan.connections);
    const shared = { bytes: 0 };
    const expected = { status: plan.expectedStatus, bytes: plan.expectedBytes };
    for (let i = 0; i < plan.connections; i++) {
      this.#readers[this.#sockets.connect(plan.port)] = new ReplyReader(expected, shared);
    }
  }

  /** Sends on every connection, one request after the other, while `more` says so. */
  run(more: (now: number) => boolean): void {
    let busy = 0;
    for (const socket of this.#readers.keys()) {
      if (this.#readers[socket] === undefined || !more(performance.now())) continue;
      this.#send(socket, performance.now());
      busy++;
    }
    while (busy > 0) {
      const ready = this.#sockets.wait(silence);
      if (ready === 0) throw new Error(`${busy} requests got no reply in ${silence} ms.`);
      for (let index = 0; index < ready; index++) {
        const socket = this.#sockets.ready(index);
        const now = performance.now();
        if (!this.#receive(socket, now)) continue;
        if (more(now)) this.#send(socket, now);
        else busy--;
      }
    }
  }

  #send(socket: number, now: number): void {
    this.#started[socket] = now;
    this.#sockets.send(socket, this.#requests[this.sent++ % this.#requests.length]!);
  }

  /** Whether the reply is there to its end. */
  #receive(socket: number, now: number): boolean {
    const count = this.#sockets.receive(socket);
    if (count <= 0) throw new Error("A connection ended instead of going on.");
    const reader = this.#readers[socket]!;
    const progress = reader.read(this.#sockets.received, count);
    const started = this.#started[socket]!;
    const isTold = progress === "done" || progress === "body" && reader.isStream;
    if (isTold && !Number.isNaN(started)) {
      this.latencies.push(now - started);
      this.#started[socket] = NaN;
    }
    return progress === "done";
  }

  [Symbol.dispose](): void {
    this.#sockets[Symbol.dispose]();
  }
}
