/** A server that is killed at the latest when the process that started it has ended. */
import { fileURLToPath } from "node:url";
import { linesOf } from "./lines_of.ts";

const guard = fileURLToPath(new URL("guard.sh", import.meta.url));

export interface GuardOptions {
  /** The file that the program's output is appended to; else it is in `lines`. */
  readonly log?: string;
  /** A folder that is removed when the process is killed, even if nobody is there to do it. */
  readonly scratch?: string;
}

/**
 * A program that runs under `guard.sh`, which kills it when this process is gone: a child of a
 * killed test run would otherwise live on. (A parent-death signal would not do: it is bound to the
 * thread, and Deno runs every test file in a thread of its own.)
 */
export class GuardedProcess {
  private constructor(
    readonly pid: number,
    private readonly guardian: Deno.ChildProcess,
    private readonly output: AsyncGenerator<string>,
  ) {}

  /** Starts `command`. */
  static async start(
    command: readonly string[],
    { log = "/dev/stdout", scratch = "" }: GuardOptions = {},
  ): Promise<GuardedProcess> {
    const guardian = new Deno.Command("sh", {
      args: [guard, log, scratch, ...command],
      // A process group of its own: the guard kills the program's children too, and Ctrl-C in the
      // terminal leaves it to the owner when the program ends.
      detached: true,
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const output = linesOf(guardian.stdout);
    const { value: pid } = await output.next();
    return new GuardedProcess(Number(pid), guardian, output);
  }

  /** Resolves with the exit code once the process has ended. */
  get ended(): Promise<number> {
    return this.guardian.status.then(({ code }) => code);
  }

  /** What a program without a log prints, from now on; to be read by one reader, once. */
  get lines(): AsyncIterable<string> {
    return this.output;
  }

  /** Sends a signal to the program itself. */
  signal(signal: "SIGSTOP" | "SIGCONT" | "SIGHUP"): void {
    Deno.kill(this.pid, signal);
  }

  /** Kills the process (SIGKILL; a stopped one too) and resolves when it is gone. */
  async end(): Promise<void> {
    // The guard may have ended with its program, and the pipe with it.
    await this.guardian.stdin.close().catch(() => {});
    await this.guardian.status;
    // Ends the stream where nobody has read `lines`.
    for await (const _ of this.output);
  }
}
