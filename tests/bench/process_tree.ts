import { childrenOf } from "../rig/child_processes.ts";
import { peakRssMiB, rssMiB } from "./process_usage.ts";

/** The pids of a process and of all that are below it: nginx works in its children. */
export async function treeOf(pid: number): Promise<number[]> {
  const below = await Promise.all((await childrenOf(pid)).map(treeOf));
  return [pid, ...below.flat()];
}

/** The resident sets of the processes now, in MiB. */
export function treeRssMiB(pids: readonly number[]): Promise<number> {
  return sumOf(pids, rssMiB);
}

/** The largest resident sets since the last `resetPeakRss`, in MiB. */
export function treePeakRssMiB(pids: readonly number[]): Promise<number> {
  return sumOf(pids, peakRssMiB);
}

/** Makes what is resident now the peak (proc(5), clear_refs). */
export async function resetPeakRss(pids: readonly number[]): Promise<void> {
  await Promise.all(pids.map((pid) => Deno.writeTextFile(`/proc/${pid}/clear_refs`, "5")));
}

async function sumOf(
  pids: readonly number[],
  valueOf: (pid: number) => Promise<number>,
): Promise<number> {
  const values = await Promise.all(pids.map(valueOf));
  return values.reduce((sum, value) => sum + value, 0);
}
