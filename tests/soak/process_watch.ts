/** Memory and handles of a process, over time. */
import { rssMiB } from "../bench/process_usage.ts";
import { riseOf } from "./rise.ts";
import { pause } from "./pause.ts";

/** Open handles of a process by what they are: `socket`, `pipe`, `anon_inode`, or `file`. */
export async function handlesOf(pid: number): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for await (const { name } of Deno.readDir(`/proc/${pid}/fd`)) {
    const target = await Deno.readLink(`/proc/${pid}/fd/${name}`).catch(() => undefined);
    // Closed since it was listed.
    if (target === undefined) continue;
    const kind = /^(\w+):/.exec(target)?.[1] ?? "file";
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

export function totalOf(handles: ReadonlyMap<string, number>): number {
  return handles.values().reduce((sum, count) => sum + count, 0);
}

/** State, local and remote port of the TCP sockets of a process; see proc_pid_net(5). */
export async function tcpSocketsOf(pid: number): Promise<string[]> {
  const table = await Deno.readTextFile(`/proc/${pid}/net/tcp`);
  const byInode = new Map(
    table.trim().split("\n").slice(1).map((line): [string, string] => {
      const [, local = "", remote = "", state = "", , , , , , inode = ""] = line.trim().split(
        /\s+/,
      );
      const [from, to] = [local, remote].map((it) => Number.parseInt(it.split(":")[1]!, 16));
      return [inode, `${states[Number.parseInt(state, 16)]} ${from}-${to}`];
    }),
  );
  const found: string[] = [];
  for await (const { name } of Deno.readDir(`/proc/${pid}/fd`)) {
    const target = await Deno.readLink(`/proc/${pid}/fd/${name}`).catch(() => "");
    const socket = byInode.get(/^socket:\[(\d+)\]$/.exec(target)?.[1] ?? "");
    if (socket !== undefined) found.push(socket);
  }
  return found;
}

/** By number, from 1 on. */
const states = [
  ...["", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT"],
  ...["CLOSE", "CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING"],
];

/** Ms between two samples. */
const intervalMs = 250;
/** Samples for warming up at least, 8 s: the first requests load code and fill the heaps. */
const warmUp = 32;

/** Looks at a process until it is stopped. */
export class ProcessWatch {
  readonly #samples: { readonly rssMiB: number; readonly handles: number }[] = [];
  #stopped = false;
  readonly #watching: Promise<void>;

  constructor(private readonly pid: number) {
    this.#watching = this.#watch();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#watching;
  }

  /** Over the last two thirds of the time, see `riseOf`. */
  riseOf(what: "rssMiB" | "handles"): number {
    return riseOf(this.#samples.map((sample) => sample[what]), warmUp);
  }

  /** The least and the most there was. */
  span(what: "rssMiB" | "handles"): string {
    const values = this.#samples.map((sample) => Math.round(sample[what]));
    const [least, most] = values.reduce(
      ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
      [Infinity, 0],
    );
    return `${least} to ${most}`;
  }

  async #watch(): Promise<void> {
    while (!this.#stopped) {
      const [rss, handles] = await Promise.all([rssMiB(this.pid), handlesOf(this.pid)]);
      this.#samples.push({ rssMiB: rss, handles: totalOf(handles) });
      await pause(intervalMs);
    }
  }
}
