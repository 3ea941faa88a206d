import { fileURLToPath } from "node:url";
import { ChildProcess } from "./child_process.ts";

const main = fileURLToPath(new URL("../../main.ts", import.meta.url));

/**
 * The program as it is started from source. What the default facilitator supports is not to decide
 * the outcome of a test, and tests have no business in public.
 */
export const sourceCommand: readonly string[] = [
  ...[Deno.execPath(), "run", "-A", "--deny-net=x402.org"],
  main,
];

export interface GatewayOptions {
  /** Folder of the manifests. */
  readonly manifests: string;
  /** The program before its first argument: the source, a bundle or a binary. */
  readonly command?: readonly string[];
  /** `HOST:PORT` of the gateway itself; a free port by default. */
  readonly listen?: string;
  /** More flags of `gateway`. */
  readonly flags?: readonly string[];
  readonly env?: Record<string, string>;
}

/** One line of the gateway's log. */
export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** The program under test in its own process. */
export interface Gateway extends AsyncDisposable {
  /** Without a trailing slash. */
  readonly url: string;
  readonly metricsUrl: string;
  readonly probeUrl: string;
  readonly pid: number;
  /** The log so far. */
  log(): LogLine[];
  /** Everything that was printed so far, line by line. */
  output(): string;
  /** The first log line, past or future, with this `msg` (and, if given, for which `where` holds). */
  logged(msg: string, where?: (line: LogLine) => boolean): Promise<LogLine>;
  /** SIGTERM, then the exit code. */
  stop(): Promise<number>;
}

/**
 * Starts `gateway` on free ports and waits until it is ready.
 * @throws {Error} with the output of the program when it does not become ready
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { manifests, command = sourceCommand, listen = "127.0.0.1:0", flags = [] } = options;
  const args = ["gateway", "--manifests", manifests, "--listen", listen];
  const ports = ["--metrics-listen", "127.0.0.1:0", "--probe-listen", "127.0.0.1:0"];
  const env = options.env === undefined ? {} : { env: options.env };
  const child = new ChildProcess("gateway", [...command, ...args, ...ports, ...flags], env);
  const logged: Gateway["logged"] = (msg, where = () => true) =>
    child.find((text) => {
      const line = parse(text);
      return line?.msg === msg && where(line) ? line : undefined;
    });
  try {
    const listening = await logged("gateway listening");
    const probeUrl = `http://${listening.probes}`;
    await ready(probeUrl, child);
    return {
      url: `http://${listening.gateway}`,
      metricsUrl: `http://${listening.metrics}`,
      probeUrl,
      pid: child.pid,
      log: () => child.lines.map(parse).filter((line) => line !== undefined),
      output: () => child.lines.join("\n"),
      logged,
      stop: () => child.stop(),
      [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
    };
  } catch (error) {
    await child.stop();
    throw error;
  }
}

/** Readiness is a state, not an event: it has to be asked for. */
async function ready(probeUrl: string, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const reply = await fetch(`${probeUrl}/readyz`);
    await reply.body?.cancel();
    if (reply.ok) return;
    if (Date.now() > deadline) {
      throw new Error(["The gateway does not become ready:", ...child.lines].join("\n  "));
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function parse(line: string): LogLine | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined; // a warning of the runtime
  }
}
