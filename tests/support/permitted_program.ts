/** The program in a process that may do nothing but what it is told. */
import { fileURLToPath } from "node:url";
import { ChildProcess } from "../rig/child_process.ts";
import type { LogLine } from "../rig/gateway_process.ts";
import { permissionFlags, type Permissions } from "./permissions.ts";

/** Where the program is: its workers, which are loaded while it runs, have to be read. */
export const programFolder = fileURLToPath(new URL("../../", import.meta.url)).replace(/\/$/, "");

/** How long anything may take, in ms; where something is missing it usually fails at once. */
const patience = 15_000;

/** A server that must have no difficulties: the first line that tells of one ends every wait. */
export class PermittedServer implements AsyncDisposable {
  readonly #process: ChildProcess;
  #seen = 0;

  constructor(
    permissions: Permissions,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ) {
    const command = [Deno.execPath(), "run", ...permissionFlags(permissions)];
    this.#process = new ChildProcess(
      args[0]!,
      [...command, `${programFolder}/main.ts`, ...args],
      { env },
    );
  }

  /**
   * The next line with this `msg` (for which `where` holds), after those that were waited for before.
   * @throws {Error} for a line that tells of an error, or of a permission
   */
  async logged(msg: string, where: (line: LogLine) => boolean = () => true): Promise<LogLine> {
    let at = 0;
    return await this.#process.find((text) => {
      if (at++ < this.#seen) return undefined;
      this.#seen = at;
      const line = parse(text);
      checkHarmless(text, line);
      return line?.msg === msg && where(line) ? line : undefined;
    }, patience);
  }

  /** @throws {Error} when no such line comes */
  async said(text: RegExp): Promise<void> {
    await this.#process.find((line) => text.test(line) || undefined, patience);
  }

  /** SIGTERM; everything that was said must be harmless, and the exit code 0. */
  async end(): Promise<void> {
    const code = await this.#process.stop();
    for (const text of this.#process.lines) checkHarmless(text, parse(text));
    if (code !== 0) throw new Error(`exit code ${code}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stop("SIGKILL");
  }
}

function checkHarmless(text: string, line: LogLine | undefined): void {
  if (line?.level === "error" || /Requires .* access/.test(text)) throw new Error(text);
}

function parse(line: string): LogLine | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined; // not of the log
  }
}

/** A command that ends by itself. */
export async function runPermitted(
  permissions: Permissions,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number; readonly output: string }> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", ...permissionFlags(permissions), `${programFolder}/main.ts`, ...args],
    env,
    stdin: "null",
  });
  const { code, stdout, stderr } = await command.output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, output: `${out}${err}` };
}
