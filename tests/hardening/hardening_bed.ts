import assert from "node:assert/strict";
import { RawClient, type RawReply } from "../../gateway/front/raw_client.ts";
import { manifestsOf } from "../bench/manifests.ts";
import { rssMiB } from "../bench/process_usage.ts";
import { paymentHeaders } from "../bench/unsigned_payment.ts";
import { type Gateway, sourceCommand, startGateway } from "../rig/gateway_process.ts";
import {
  type ScriptedFacilitator,
  startScriptedFacilitator,
} from "../support/scripted_facilitator.ts";

import { type HardeningBackend, startHardeningBackend } from "./hardening_backend.ts";

/** Host that the manifests are about; `/api/*` is paid, `/docs/**` free, as is all that has no rule. */
const host = "shop-0.example.com";
/** Isolates of the gateway. */
const workers = 2;
/** All clients of a test have one address; what is not its subject must not stop it. */
const unlimited = ["--rate-limit-unpaid", "off", "--rate-limit-invalid", "off"];

/** How long one paying client took, from its connection on. */
export interface Purchase {
  /** 0: the connection ended without a reply. */
  readonly status: number;
  readonly ms: number;
}

export interface BedOptions {
  /** Of the gateway. */
  readonly flags?: readonly string[];
  /** Most file descriptors that the gateway may have. */
  readonly fileDescriptors?: number;
}

/** The gateway in its own process, between a backend and a facilitator that agrees to everything. */
export class HardeningBed implements AsyncDisposable {
  readonly port: number;
  #accepted: Record<string, unknown> | undefined;

  private constructor(
    readonly gateway: Gateway,
    readonly backend: HardeningBackend,
    readonly facilitator: ScriptedFacilitator,
    private readonly folder: string,
  ) {
    this.port = Number(new URL(gateway.url).port);
  }

  static async start({ flags = [], fileDescriptors }: BedOptions = {}): Promise<HardeningBed> {
    const backend = startHardeningBackend();
    const facilitator = startScriptedFacilitator();
    const manifests = await Deno.makeTempDir({ prefix: "x402_hardening_" });
    const ports = {
      api: backend.port,
      streams: backend.port,
      facilitator: Number(new URL(facilitator.url).port),
    };
    await Deno.writeTextFile(`${manifests}/shop.yaml`, manifestsOf(1, ports));
    const command = fileDescriptors === undefined
      ? sourceCommand
      : ["sh", "-c", `ulimit -n ${fileDescriptors} && exec "$@"`, "sh", ...sourceCommand];
    const allowed = ["--allow-facilitator-host", "localhost", "--workers", `${workers}`];
    const gateway = await startGateway({
      manifests,
      command,
      flags: [...allowed, ...unlimited, ...flags],
    });
    const bed = new HardeningBed(gateway, backend, facilitator, manifests);
    while (listeners(bed.port) < workers) await new Promise((resolve) => setTimeout(resolve, 10));
    // What is loaded with the first payment belongs to the base that others are compared with.
    assert.equal((await bed.pay()).status, 200, "before anything happens a client can pay");
    return bed;
  }

  connect(): Promise<RawClient> {
    return RawClient.connect(this.port);
  }

  /** One request on a connection of its own. */
  async ask(path: string, ...lines: string[]): Promise<RawReply> {
    using client = await this.connect();
    await client.send(get(path, ...lines));
    return await client.reply();
  }

  /** A client that pays for one reply, on a connection of its own. */
  async pay(path = "/api/x"): Promise<Purchase> {
    const start = performance.now();
    const [payment] = paymentHeaders(this.#accepted ??= await this.#offer(), 1);
    const { status } = await this.ask(path, payment!.trim()).catch(() => ({ status: 0 }));
    return { status, ms: performance.now() - start };
  }

  /** Clients that pay one after the other. */
  async payOften(count: number): Promise<Purchase[]> {
    const purchases = [];
    for (let i = 0; i < count; i++) purchases.push(await this.pay());
    return purchases;
  }

  rssMiB(): Promise<number> {
    return rssMiB(this.gateway.pid);
  }

  /** File descriptors that the gateway has open. */
  fileDescriptors(): number {
    return [...Deno.readDirSync(`/proc/${this.gateway.pid}/fd`)].length;
  }

  /** Resolves when the gateway has no more file descriptors than that. */
  async closedDownTo(count: number): Promise<void> {
    while (this.fileDescriptors() > count) await new Promise((resolve) => setTimeout(resolve, 50));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.gateway[Symbol.asyncDispose]();
    await this.facilitator[Symbol.asyncDispose]();
    await this.backend[Symbol.asyncDispose]();
    await Deno.remove(this.folder, { recursive: true });
  }

  async #offer(): Promise<Record<string, unknown>> {
    const { status, head } = await this.ask("/api/x");
    assert.equal(status, 402);
    return JSON.parse(atob(/^payment-required: (.*)\r$/m.exec(head)![1]!)).accepts[0];
  }
}

/** How many sockets listen on a port: one for each isolate of the gateway (proc_net(5)). */
function listeners(port: number): number {
  const listening = new RegExp(`^ *\\d+: [0-9A-F]{8}:${hex(port)} [0-9A-F]{8}:0000 0A `, "gm");
  return [...Deno.readTextFileSync("/proc/net/tcp").matchAll(listening)].length;
}

function hex(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, "0");
}

/** A request without a body. */
export function get(path: string, ...lines: string[]): string {
  return [`GET ${path} HTTP/1.1`, `host: ${host}`, ...lines].join("\r\n") + "\r\n\r\n";
}

/** The head of a request whose body is announced by that line. */
export function post(path: string, framing: string): string {
  return get(path, framing).replace("GET", "POST");
}

/** The longest of the times, in ms. */
export function longest(purchases: readonly Purchase[]): number {
  return Math.round(Math.max(...purchases.map(({ ms }) => ms)));
}

/** All clients got what they paid for, and none had to wait for what the others did. */
export function assertServed(purchases: readonly Purchase[]): void {
  assert.deepEqual([...new Set(purchases.map(({ status }) => status))], [200]);
  assert.ok(longest(purchases) < 5_000, `a client waited for ${longest(purchases)} ms`);
}
