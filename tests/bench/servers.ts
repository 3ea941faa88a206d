import { fileURLToPath } from "node:url";
import { ChildProcess } from "../rig/child_process.ts";
import { type Gateway, sourceCommand, startGateway } from "../rig/gateway_process.ts";
import { renderSamples } from "../rig/sample_manifests.ts";

/** A server in its own process, listening on 127.0.0.1. */
export interface BenchServer {
  readonly pid: number;
  readonly port: number;
}

/** Starts the processes of the benchmark and stops them all at its end. */
export class BenchServers implements AsyncDisposable {
  readonly #stack = new AsyncDisposableStack();

  /** `baseline_server.ts` as `kind`, in front of `backend` if it is a proxy. */
  async baseline(kind: string, backend?: BenchServer): Promise<BenchServer> {
    const args = backend === undefined ? [kind] : [kind, `http://localhost:${backend.port}`];
    return await this.#start(kind, denoCommand("baseline_server.ts", ...args), /^listening (\d+)$/);
  }

  /** The facilitator that accepts everything at once. */
  async facilitatorStub(): Promise<BenchServer> {
    const command = [...sourceCommand, "facilitator-stub", "--listen", "127.0.0.1:0"];
    return await this.#start("facilitator stub", command, /http:\/\/127\.0\.0\.1:(\d+)/);
  }

  /** The gateway on the samples that users copy. */
  async gateway(backend: BenchServer, facilitator: BenchServer): Promise<BenchServer> {
    const manifests = await Deno.makeTempDir({ prefix: "x402_bench_" });
    this.#stack.defer(() => Deno.remove(manifests, { recursive: true }));
    await renderSamples(manifests, { api: backend.port, facilitator: facilitator.port });
    const flags = ["--allow-facilitator-host", "localhost"];
    const gateway: Gateway = this.#stack.use(await startGateway({ manifests, flags }));
    return { pid: gateway.pid, port: Number(new URL(gateway.url).port) };
  }

  /** A gateway with one paid path, without a ledger or with one in a file. */
  async paidGateway(
    backend: BenchServer,
    facilitator: BenchServer,
    ledger: "none" | "file",
  ): Promise<BenchServer> {
    const urls = [backend, facilitator].map(({ port }) => `http://127.0.0.1:${port}`);
    const command = denoCommand("paid_gateway.ts", ...urls);
    if (ledger === "file") {
      const folder = await Deno.makeTempDir({ prefix: "x402_bench_" });
      this.#stack.defer(() => Deno.remove(folder, { recursive: true }));
      command.push(`${folder}/payments.db`);
    }
    return await this.#start("paid gateway", command, /^listening (\d+)$/);
  }

  async #start(name: string, command: string[], listening: RegExp): Promise<BenchServer> {
    const child = this.#stack.use(new ChildProcess(name, command));
    const port = await child.find((line) => listening.exec(line)?.[1]);
    return { pid: child.pid, port: Number(port) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

/** The command that runs a program of this folder. */
export function denoCommand(program: string, ...args: string[]): string[] {
  const path = fileURLToPath(new URL(program, import.meta.url));
  return [Deno.execPath(), "run", "-A", "--unstable-no-legacy-abort", path, ...args];
}
