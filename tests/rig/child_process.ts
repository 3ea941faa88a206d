/** How long a child may take to obey SIGTERM before it is killed, in ms. */
const killAfter = 15_000;

/** A program of the rig that runs in its own process; its output is collected line by line. */
export class ChildProcess implements AsyncDisposable {
  /** Lines of standard output and standard error so far, in order of arrival. */
  readonly lines: string[] = [];
  readonly pid: number;
  readonly #process: Deno.ChildProcess;
  readonly #ended: Promise<number>;
  #waiting: (() => void)[] = [];
  #exitCode: number | undefined;

  constructor(
    private readonly name: string,
    command: readonly string[],
    options: { readonly env?: Record<string, string>; readonly cwd?: string } = {},
  ) {
    const [program, ...args] = command;
    if (program === undefined) throw new TypeError(`The command of ${name} is empty.`);
    this.#process = new Deno.Command(program, {
      ...options,
      args,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.pid = this.#process.pid;
    this.#ended = this.#run();
  }

  /** The exit code once the process has ended and all its output is in `lines`. */
  get ended(): Promise<number> {
    return this.#ended;
  }

  /**
   * Resolves with what `find` makes of the first line, past or future, for which it is not
   * `undefined`.
   * @throws {Error} with the output so far when the process ends first, or after `timeout` ms
   */
  async find<T>(find: (line: string) => T | undefined, timeout = 20_000): Promise<T> {
    const deadline = Date.now() + timeout;
    for (let next = 0;;) {
      while (next < this.lines.length) {
        const found = find(this.lines[next++]!);
        if (found !== undefined) return found;
      }
      if (this.#exitCode !== undefined) throw this.#failure(`ended with ${this.#exitCode}`);
      if (Date.now() >= deadline) throw this.#failure(`said nothing of the kind in ${timeout} ms`);
      await this.#change(deadline - Date.now());
    }
  }

  /** Sends `signal` and resolves with the exit code; a process that does not obey is killed. */
  async stop(signal: Deno.Signal = "SIGTERM"): Promise<number> {
    this.#send(signal);
    const kill = setTimeout(() => this.#send("SIGKILL"), killAfter);
    try {
      return await this.#ended;
    } finally {
      clearTimeout(kill);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #send(signal: Deno.Signal): void {
    try {
      this.#process.kill(signal);
    } catch (error) {
      // It has ended already; only its output may still be on the way.
      if (!(error instanceof TypeError)) throw error;
    }
  }

  async #run(): Promise<number> {
    const [status] = await Promise.all([
      this.#process.status,
      this.#collect(this.#process.stdout),
      this.#collect(this.#process.stderr),
    ]);
    this.#exitCode = status.code;
    this.#wake();
    return status.code;
  }

  async #collect(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    let rest = "";
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      const parts = (rest + text).split("\n");
      rest = parts.pop() ?? "";
      this.lines.push(...parts);
      this.#wake();
    }
    if (rest !== "") this.lines.push(rest);
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  #change(timeout: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeout);
      this.#waiting.push(() => (clearTimeout(timer), resolve()));
    });
  }

  #failure(what: string): Error {
    return new Error([`${this.name} ${what}:`, ...this.lines.slice(-20)].join("\n  "));
  }
}
