/** A server that is killed at the latest when the process that started it has ended. */
import { fileURLToPath } from "node:url";

const guard = fileURLToPath(new URL("guard.sh", import.meta.url));

/**
 * A program that runs under `guard.sh`, which kills it when this process is gone: a child of a
 * killed test run would otherwise live on. (A parent-death signal would not do: it is bound to the
 * thread, and Deno runs every test file in a thread of its own.)
 */
export class GuardedProcess {
  private constructor(
    readonly pid: number,
    private readonly guardian: Deno.ChildProcess,
  ) {}

  /** Starts `command`; its output is appended to the file `log`. */
  static async start(command: readonly string[], log: string): Promise<GuardedProcess> {
    const guardian = new Deno.Command("sh", {
      args: [guard, log, ...command],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    let output = "";
    // Ends after the pid: guard and program have no other use for this standard output.
    const lines = guardian.stdout.pipeThrough(new TextDecoderStream());
    for await (const text of lines) {
      output += text;
      if (output.includes("\n")) break;
    }
    return new GuardedProcess(Number(output), guardian);
  }

  /** Resolves with the exit code once the process has ended. */
  get ended(): Promise<number> {
    return this.guardian.status.then(({ code }) => code);
  }

  /** Sends a signal to the program itself. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void {
    Deno.kill(this.pid, signal);
  }

  /** Kills the process (SIGKILL; a stopped one too) and resolves when it is gone. */
  async end(): Promise<void> {
    // The guard may have ended with its program, and the pipe with it.
    await this.guardian.stdin.close().catch(() => {});
    await this.guardian.status;
  }
}
