import { join } from "node:path";
import { GuardedProcess } from "./guarded_process.ts";

/** A running nginx with one worker, which logs to standard error (level notice). */
export class NginxProcess {
  #awaited: { readonly sign: string; readonly seen: PromiseWithResolvers<void> } | undefined;
  readonly #reading: Promise<void>;

  private constructor(private readonly process: GuardedProcess) {
    this.#reading = this.#read();
  }

  /**
   * Starts on the nginx.conf in `folder`, and resolves when it listens. The folder goes with it.
   * @throws {Error} with nginx's own words when it refuses its configuration
   */
  static async start(program: string, folder: string): Promise<NginxProcess> {
    const command = [program, "-c", join(folder, "nginx.conf"), "-e", "stderr"];
    const nginx = new NginxProcess(await GuardedProcess.start(command, { scratch: folder }));
    try {
      await nginx.#wait("start worker process ");
      return nginx;
    } catch (error) {
      await nginx.end();
      throw error;
    }
  }

  /**
   * Takes over the changed configuration, as an ingress controller does it (SIGHUP); resolves when
   * the old worker accepts no more connections, and throws as `start` does.
   */
  async reload(): Promise<void> {
    const old = this.#wait("gracefully shutting down");
    this.process.signal("SIGHUP");
    await old;
  }

  async end(): Promise<void> {
    await this.process.end();
    await this.#reading;
  }

  #wait(sign: string): Promise<void> {
    const seen = Promise.withResolvers<void>();
    this.#awaited = { sign, seen };
    return seen.promise;
  }

  /** Without a pause: nginx would wait for its log to be read. */
  async #read(): Promise<void> {
    for await (const line of this.process.lines) {
      if (line.includes("[emerg]")) this.#awaited?.seen.reject(new Error(line));
      else if (line.includes(this.#awaited?.sign ?? "\n")) this.#awaited?.seen.resolve();
    }
    this.#awaited?.seen.reject(new Error("nginx has ended."));
  }
}
