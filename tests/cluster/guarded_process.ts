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
    private readonly output: AsyncGenerator<string>,
  ) {}

  /** Starts `command`; its output is appended to the file `log`, or else is in `lines`. */
  static async start(command: readonly string[], log = "/dev/stdout"): Promise<GuardedProcess> {
    const guardian = new Deno.Command("sh", {
      args: [guard, log, ...command],
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

async function* linesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    yield* parts;
  }
}
