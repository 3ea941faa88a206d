/** Ticks per second of the times in /proc: 100 on every Linux that Deno runs on (proc(5)). */
const ticksPerSecond = 100;

/** CPU seconds, user and system, that all threads of a process have used so far. */
export async function cpuSeconds(pid: number): Promise<number> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  // The second field is a name in parentheses that may hold spaces; utime and stime are 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** The largest resident set a process ever had, in MiB. */
export async function peakRssMiB(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)![1]) / 1024;
}

/** The resident set of a process now, in MiB. */
export async function rssMiB(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)![1]) / 1024;
}

/** Seconds since a process was started, to a hundredth. */
export async function ageSeconds(pid: number): Promise<number> {
  const [stat, uptime] = await Promise.all([
    Deno.readTextFile(`/proc/${pid}/stat`),
    Deno.readTextFile("/proc/uptime"),
  ]);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(uptime.split(" ")[0]) - Number(fields[19]) / ticksPerSecond;
}
