import { join } from "node:path";
import { findNginx } from "../cluster/nginx_assets.ts";
import { sourceCommand } from "../rig/gateway_process.ts";
import { type BenchServer, denoCommand, startServer } from "./bench_server.ts";
import { gatewayKnows, type GatewayOptions, startGateway } from "./gateway_server.ts";
import { buildGoProxy } from "./go_proxy.ts";
import { type BackendPorts, hostOf } from "./manifests.ts";
import { startNginxBackend, startNginxProxy } from "./nginx_server.ts";
import { rawReply } from "./raw_reply.ts";

/** The processes of the benchmark: each is started when it is first asked for, and once. */
export class BenchServers implements AsyncDisposable {
  readonly #stack = new AsyncDisposableStack();
  readonly #started = new Map<string, Promise<unknown>>();

  /** @param missing is told what is left out, and why */
  constructor(private readonly missing: (what: string) => void) {}

  /** The backend that all proxies stand in front of, so cheap that it is never the limit. */
  api(): Promise<BenchServer> {
    return this.#once("api", async () => {
      const nginx = await findNginx();
      if (nginx !== undefined) return this.#stack.use(await startNginxBackend(nginx));
      return await this.#baseline("backend");
    });
  }

  /** Server-sent events, and uploads. */
  streams(): Promise<BenchServer> {
    return this.#once("streams", () => this.#start("streams", denoCommand("stream_backend.ts")));
  }

  nginx(): Promise<BenchServer | undefined> {
    return this.#once("nginx", async () => {
      const program = await findNginx();
      if (program === undefined) return this.#skip("nginx", "`deno task cluster:assets` gets it");
      return this.#stack.use(
        await startNginxProxy(program, await this.api(), await this.streams()),
      );
    });
  }

  go(): Promise<BenchServer | undefined> {
    return this.#once("go", async () => {
      const program = await buildGoProxy();
      if (program === undefined) return this.#skip("the Go reverse proxy", "there is no `go`");
      return await this.#start("Go reverse proxy", [program, urlOf(await this.api())]);
    });
  }

  express(): Promise<BenchServer> {
    return this.#once("express", async () => {
      const urls = [urlOf(await this.api()), urlOf(await this.#facilitator())];
      return await this.#start("@x402/express", denoCommand("express_server.ts", ...urls));
    });
  }

  hello(): Promise<BenchServer> {
    return this.#once("hello", () => this.#baseline("hello"));
  }

  tunedProxy(): Promise<BenchServer> {
    return this.#once(
      "tuned proxy",
      async () => await this.#baseline("tuned-proxy", urlOf(await this.api())),
    );
  }

  /** A bare `Deno.serve` that answers with the bytes of the gateway's 402 of `path`. */
  copiedReply(path: string): Promise<BenchServer> {
    return this.#once(`copied ${path}`, async () => {
      const { port } = await this.gateway("gateway");
      const file = join(await this.#folder(), "reply.json");
      await Deno.writeTextFile(file, JSON.stringify(await rawReply(port, hostOf(0), path)));
      return await this.#baseline("reply", file);
    });
  }

  /** A gateway for which `label` stands; with one worker unless the flags say otherwise. */
  gateway(label: string, options: Omit<GatewayOptions, "ports"> = {}): Promise<BenchServer> {
    return this.#once(label, async () => {
      const flags = options.flags ?? await this.oneWorker();
      return this.#stack.use(await startGateway({ ...options, flags, ports: await this.ports() }));
    });
  }

  /** Two workers, where the gateway can have them. */
  twoWorkers(): Promise<BenchServer | undefined> {
    return this.#once("two workers", async () => {
      if (!await this.#hasWorkers()) return this.#skip("two workers", "there is no `--workers`");
      return await this.gateway("2 workers", { flags: ["--workers", "2"] });
    });
  }

  /** The flags that make a gateway run on one core. */
  async oneWorker(): Promise<readonly string[]> {
    return await this.#hasWorkers() ? ["--workers", "1"] : [];
  }

  async ports(): Promise<BackendPorts> {
    const servers = [await this.api(), await this.streams(), await this.#facilitator()] as const;
    const [api, streams, facilitator] = servers.map(({ port }) => port) as [number, number, number];
    return { api, streams, facilitator };
  }

  /** A gateway with one paid path, without a ledger or with one in a file. */
  paidGateway(ledger: "none" | "file"): Promise<BenchServer> {
    return this.#once(`ledger ${ledger}`, async () => {
      const urls = [urlOf(await this.api()), urlOf(await this.#facilitator())];
      const files = ledger === "file" ? [join(await this.#folder(), "payments.db")] : [];
      return await this.#start("paid gateway", denoCommand("paid_gateway.ts", ...urls, ...files));
    });
  }

  /** The facilitator that accepts everything at once. */
  #facilitator(): Promise<BenchServer> {
    return this.#once("facilitator", () => {
      const command = [...sourceCommand, "facilitator-stub", "--listen", "127.0.0.1:0"];
      return this.#start("facilitator stub", command, /http:\/\/127\.0\.0\.1:(\d+)/);
    });
  }

  #hasWorkers(): Promise<boolean> {
    return this.#once("--workers", () => gatewayKnows("--workers"));
  }

  #baseline(...args: string[]): Promise<BenchServer> {
    return this.#start(args[0]!, denoCommand("baseline_server.ts", ...args));
  }

  async #start(name: string, command: string[], listening?: RegExp): Promise<BenchServer> {
    return this.#stack.use(await startServer(name, command, listening));
  }

  async #folder(): Promise<string> {
    const folder = await Deno.makeTempDir({ prefix: "x402_bench_" });
    this.#stack.defer(() => Deno.remove(folder, { recursive: true }));
    return folder;
  }

  #skip(what: string, why: string): undefined {
    this.missing(`Left out: ${what} (${why}).`);
  }

  #once<T>(name: string, start: () => Promise<T>): Promise<T> {
    const starting = this.#started.get(name) as Promise<T> | undefined ?? start();
    this.#started.set(name, starting);
    return starting;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

function urlOf({ port }: BenchServer): string {
  return `http://127.0.0.1:${port}`;
}
