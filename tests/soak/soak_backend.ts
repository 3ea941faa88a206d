import { fileURLToPath } from "node:url";
import { freePorts } from "../cluster/free_port.ts";
import { ChildProcess } from "../rig/child_process.ts";

const script = fileURLToPath(new URL("backend_process.ts", import.meta.url));

/** A backend that can be killed, frozen, and started again on the same port. */
export class SoakBackend implements AsyncDisposable {
  /** How often a request with this label arrived, over all of its lives. */
  readonly runs = new Map<string, number>();
  #process: ChildProcess;
  /** Lines of the process that have been counted. */
  #counted = 0;

  private constructor(readonly port: number) {
    this.#process = this.#spawn();
  }

  static async start(): Promise<SoakBackend> {
    const backend = new SoakBackend(freePorts(1)[0]!);
    await backend.#ready();
    return backend;
  }

  /** SIGKILL; resolves when it is gone. */
  async kill(): Promise<void> {
    await this.#process.stop("SIGKILL");
    this.count();
  }

  /** After `kill`. */
  async restart(): Promise<void> {
    this.#process = this.#spawn();
    this.#counted = 0;
    await this.#ready();
  }

  /** It goes on accepting, as the kernel does that, and says nothing until `thaw`. */
  freeze(): void {
    Deno.kill(this.#process.pid, "SIGSTOP");
  }

  thaw(): void {
    Deno.kill(this.#process.pid, "SIGCONT");
  }

  /** Brings `runs` up to date. */
  count(): void {
    const { lines } = this.#process;
    for (; this.#counted < lines.length; this.#counted++) {
      const label = /^ran (\S+)$/.exec(lines[this.#counted]!)?.[1];
      if (label !== undefined) this.runs.set(label, (this.runs.get(label) ?? 0) + 1);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  #spawn(): ChildProcess {
    const command = [Deno.execPath(), "run", "-A", "--no-config", script, String(this.port)];
    return new ChildProcess("backend", command);
  }

  #ready(): Promise<true> {
    return this.#process.find((line) => line === "listening" || undefined);
  }
}
