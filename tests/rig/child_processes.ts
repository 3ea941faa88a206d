/** The processes below a process, on Linux; elsewhere none are known. */

/** The pids of the running children of process `parent`; what has ended only waits to be reaped. */
export async function childrenOf(parent: number): Promise<number[]> {
  if (Deno.build.os !== "linux") return [];
  const children: number[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    const process = /^\d+$/.test(name) ? await lookAt(Number(name)) : undefined;
    if (process?.parent === parent && !ended(process)) children.push(Number(name));
  }
  return children;
}

/** Resolves when all of the processes have ended. They are not ours, so nobody tells us. */
export function untilEnded(pids: readonly number[]): Promise<void> {
  return until(pids, ended);
}

/** Resolves when all of the processes, which were sent SIGSTOP, have stopped or ended. */
export function untilStopped(pids: readonly number[]): Promise<void> {
  return until(pids, (process) => process.state === "T" || ended(process));
}

interface Process {
  /** One letter, see proc(5). */
  readonly state: string;
  readonly parent: number;
}

async function until(
  pids: readonly number[],
  isSo: (process: Process) => boolean,
): Promise<void> {
  if (Deno.build.os !== "linux") return;
  for (const pid of pids) {
    for (;;) {
      const process = await lookAt(pid);
      if (process === undefined || isSo(process)) break;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

function ended({ state }: Process): boolean {
  return state === "Z" || state === "X";
}

async function lookAt(pid: number): Promise<Process | undefined> {
  try {
    const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
    // "PID (NAME) STATE PARENT ..."; the name may hold anything.
    const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { state: state!, parent: Number(parent) };
  } catch {
    return undefined;
  }
}
