/** The CPU clocks that the kernel keeps for processes: /proc has them in steps of 10 ms only. */

const libc = Deno.dlopen("libc.so.6", {
  clock_getcpuclockid: { parameters: ["i32", "buffer"], result: "i32" },
  clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
}).symbols;

/** CPU seconds, user and system, that all threads of the processes have used so far. */
export function cpuSecondsOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
}

function cpuSeconds(pid: number): number {
  const clock = new Int32Array(1);
  const time = new BigInt64Array(2);
  if (libc.clock_getcpuclockid(pid, clock) !== 0) throw new Error(`Process ${pid} has ended.`);
  if (libc.clock_gettime(clock[0]!, time) !== 0) throw new Error("clock_gettime failed.");
  const [seconds, nanoseconds] = time;
  return Number(seconds) + Number(nanoseconds) / 1e9;
}
