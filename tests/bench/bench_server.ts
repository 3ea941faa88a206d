import { fileURLToPath } from "node:url";
import { ChildProcess } from "../rig/child_process.ts";

/** A server in its own process, listening on 127.0.0.1. */
export interface BenchServer {
  readonly pid: number;
  readonly port: number;
}

/** Starts a server that prints `listening PORT`, and waits for that line. */
export async function startServer(
  name: string,
  command: readonly string[],
  listening = /^listening (\d+)$/,
): Promise<BenchServer & AsyncDisposable> {
  const child = new ChildProcess(name, command);
  try {
    const port = await child.find((line) => listening.exec(line)?.[1]);
    return {
      pid: child.pid,
      port: Number(port),
      [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
    };
  } catch (error) {
    await child.stop();
    throw error;
  }
}

/**
 * The command that runs a program of this folder. Without the flag, aborts that nobody asked for make
 * a bare `Deno.serve` half as expensive again.
 */
export function denoCommand(program: string, ...args: string[]): string[] {
  const path = fileURLToPath(new URL(program, import.meta.url));
  return [Deno.execPath(), "run", "-A", "--unstable-net", path, ...args];
}
