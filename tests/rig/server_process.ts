import { GuardedProcess, type GuardOptions } from "../cluster/guarded_process.ts";

/** How many lines of its output are told when a server does not start. */
const kept = 20;

/** A server that says in its output when it is ready; it ends with this process at the latest. */
export class ServerProcess {
  readonly #ready = Promise.withResolvers<void>();
  readonly #lines: string[] = [];
  readonly #reading: Promise<void>;

  private constructor(private readonly process: GuardedProcess, private readonly sign: string) {
    this.#reading = this.#read();
  }

  /**
   * Resolves when `command` has printed a line with `sign`.
   * @throws {Error} with the end of its output when it ends before
   */
  static async start(
    command: readonly string[],
    sign: string,
    options: Pick<GuardOptions, "scratch"> = {},
  ): Promise<ServerProcess> {
    const server = new ServerProcess(await GuardedProcess.start(command, options), sign);
    try {
      await server.#ready.promise;
      return server;
    } catch (error) {
      await server.kill();
      throw error;
    }
  }

  get pid(): number {
    return this.process.pid;
  }

  /** Sends `signal`, which has to end it, and resolves when it has ended. */
  async end(signal: Deno.Signal): Promise<void> {
    Deno.kill(this.pid, signal);
    await this.#reading;
    await this.process.end();
  }

  /** SIGKILL; resolves when it is gone. */
  async kill(): Promise<void> {
    await this.process.end();
    await this.#reading;
  }

  /** Without a pause: the server would wait for its output to be read. */
  async #read(): Promise<void> {
    for await (const line of this.process.lines) {
      this.#lines.push(line);
      if (this.#lines.length > kept) this.#lines.shift();
      if (line.includes(this.sign)) this.#ready.resolve();
    }
    this.#ready.reject(new Error(["It did not start:", ...this.#lines].join("\n  ")));
  }
}
