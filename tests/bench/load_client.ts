import type { LoadPlan, LoadResult } from "./load_plan.ts";
import { type BenchServer, denoCommand, startServer } from "./bench_server.ts";

/** A load generator in its own process, which stays for all loads: its code is compiled only once. */
export class LoadClient implements AsyncDisposable {
  private constructor(private readonly generator: BenchServer & AsyncDisposable) {}

  static async start(): Promise<LoadClient> {
    return new LoadClient(await startServer("load generator", denoCommand("load_generator.ts")));
  }

  /** @throws {Error} when any reply is not the expected one */
  async run(plan: LoadPlan): Promise<LoadResult> {
    const url = `http://127.0.0.1:${this.generator.port}/`;
    const reply = await fetch(url, { method: "POST", body: JSON.stringify(plan) });
    if (!reply.ok) throw new Error(await reply.text());
    return await reply.json();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.generator[Symbol.asyncDispose]();
  }
}
