import { type ConnectionFlags, findConnection, type KubeConnection } from "../controller/mod.ts";
import { printLine } from "./print.ts";

/** What is asked for cannot be had as it was asked for: exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Ends the process with one line on standard error; exit code 2 for a `UsageError`, else 1. */
export function exitWith(error: unknown): never {
  printLine(`error: ${(error as Error).message}`, Deno.stderr);
  Deno.exit(error instanceof UsageError ? 2 : 1);
}

/** @throws {UsageError} when no usable cluster is named */
export async function connectionOf(flags: ConnectionFlags): Promise<KubeConnection> {
  try {
    return await findConnection(flags);
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}
