import { join } from "node:path";
import { freePorts } from "../cluster/free_port.ts";
import { ChildProcess } from "../rig/child_process.ts";
import { sourceCommand } from "../rig/gateway_process.ts";
import type { BenchServer } from "./bench_server.ts";
import { type BackendPorts, manifestsOf } from "./manifests.ts";

/** Ms that a gateway may take to be ready: reading 100,000 rules takes some time. */
const readyIn = 120_000;

/** The program before its first argument. A bundle or a binary can be named instead. */
const gatewayCommand = Deno.env.get("X402_BENCH_GATEWAY")?.split(" ") ?? sourceCommand;

/**
 * Limits that one client with 512 connections on a busy machine would reach. They are not switched
 * off, because what they cost belongs to what is measured.
 */
const limits = [
  ["--rate-limit-unpaid", "999999/1s"],
  ["--facilitator-queue-timeout", "60s"],
  ["--max-lag", "60s"],
] as const;

export interface GatewayOptions {
  readonly ports: BackendPorts;
  /** Hosts that are served, each with ten rules; 1 by default. */
  readonly hosts?: number;
  /** More flags of `gateway`. */
  readonly flags?: readonly string[];
}

/** A gateway that may not be ready yet. */
export interface StartingGateway extends BenchServer, AsyncDisposable {
  /** `performance.now()` of just before the process was started. */
  readonly spawnedAt: number;
  /** Resolves when `/readyz` says 200. */
  untilReady(): Promise<void>;
}

/** Writes the manifests, then starts a gateway on them. */
export async function spawnGateway(
  { ports, hosts = 1, flags = [] }: GatewayOptions,
): Promise<StartingGateway> {
  const folder = await Deno.makeTempDir({ prefix: "x402_bench_" });
  await Deno.writeTextFile(join(folder, "shops.yaml"), manifestsOf(hosts, ports));
  // Known ones: the workers of a gateway share its port, and readiness is asked for from the start.
  const [port, metrics, probes] = freePorts(3) as [number, number, number];
  const listening = [
    ...["--listen", `127.0.0.1:${port}`],
    ...["--metrics-listen", `127.0.0.1:${metrics}`],
    ...["--probe-listen", `127.0.0.1:${probes}`],
  ];
  const allowed = ["--allow-facilitator-host", "localhost", ...await raisedLimits()];
  const args = ["gateway", "--manifests", folder, ...listening, ...allowed, ...flags];
  const spawnedAt = performance.now();
  const child = new ChildProcess("gateway", [...gatewayCommand, ...args]);
  return {
    pid: child.pid,
    port,
    spawnedAt,
    untilReady: () => untilReady(probes, child),
    async [Symbol.asyncDispose]() {
      await child.stop();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** Starts a gateway and waits until it is ready. */
export async function startGateway(
  options: GatewayOptions,
): Promise<BenchServer & AsyncDisposable> {
  const gateway = await spawnGateway(options);
  try {
    await gateway.untilReady();
    return gateway;
  } catch (error) {
    await gateway[Symbol.asyncDispose]();
    throw error;
  }
}

/** Readiness is a state, not an event: it has to be asked for. */
async function untilReady(probes: number, child: ChildProcess): Promise<void> {
  let hasEnded = false;
  void child.ended.then(() => hasEnded = true);
  const deadline = performance.now() + readyIn;
  while (!await isReady(probes)) {
    if (hasEnded || performance.now() > deadline) {
      throw new Error(["The gateway does not become ready:", ...child.lines].join("\n  "));
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

async function isReady(probes: number): Promise<boolean> {
  try {
    const reply = await fetch(`http://127.0.0.1:${probes}/readyz`);
    await reply.body?.cancel();
    return reply.ok;
  } catch {
    return false; // it does not listen yet
  }
}

/** Whether `gateway --help` lists a flag. */
export async function gatewayKnows(flag: string): Promise<boolean> {
  return (await (help ??= readHelp())).includes(` ${flag} `);
}

let help: Promise<string> | undefined;

async function readHelp(): Promise<string> {
  const [program = "", ...args] = gatewayCommand;
  const command = new Deno.Command(program, { args: [...args, "gateway", "--help"] });
  const { success, stdout, stderr } = await command.output();
  if (!success) throw new Error(`The gateway has no help: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

/** The limits that this gateway has. */
async function raisedLimits(): Promise<string[]> {
  const known = await Promise.all(limits.map(([flag]) => gatewayKnows(flag)));
  return limits.filter((_, index) => known[index]).flat();
}
