/** What all test files of a `deno test` run share: a process that ends when the run does. */
import { kill } from "node:process";
import { firstLineOf } from "../cluster/lines_of.ts";

/** How often it is looked whether the run is there, in ms. */
const interval = 500;

/**
 * What the script said when it was started for this run; the first call starts it. Deno runs every
 * test file in a thread of its own, and all of them see one environment: what the first file sets
 * in `variable`, the next one finds.
 * @param script path of a program that calls `keepForRun`
 */
export async function keptForRun(variable: string, script: string): Promise<string> {
  const known = Deno.env.get(variable);
  if (known !== undefined) return known;
  const said = await start(script);
  Deno.env.set(variable, said);
  return said;
}

/**
 * The other side of it: says `said`, and resolves when the run, whose pid is the script's argument,
 * has ended or a signal asks to.
 */
export async function keepForRun(said: string): Promise<void> {
  const interruption = Promise.withResolvers<void>();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, () => interruption.resolve());
  }
  await Deno.stdout.write(new TextEncoder().encode(`${said}\n`));
  await Promise.race([untilEnded(Number(Deno.args[0])), interruption.promise]);
}

/** The keeper is no child of this process: a child would count as a leak of the test. */
async function start(script: string): Promise<string> {
  const shell = new Deno.Command("sh", {
    args: ["-c", '"$@" &', "sh", Deno.execPath(), "run", "-A", script, String(Deno.pid)],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const said = await firstLineOf(shell.stdout);
  await shell.status;
  if (said === undefined) throw new Error(`${script} did not start; see above.`);
  return said;
}

async function untilEnded(pid: number): Promise<void> {
  while (await isRunning(pid)) await new Promise((resolve) => setTimeout(resolve, interval));
}

async function isRunning(pid: number): Promise<boolean> {
  try {
    kill(pid, 0);
    if (Deno.build.os !== "linux") return true;
    // A process that was killed is listed, as a zombie, until its parent asks for its exit code.
    return !/\) [ZX] /.test(await Deno.readTextFile(`/proc/${pid}/stat`));
  } catch {
    return false;
  }
}
