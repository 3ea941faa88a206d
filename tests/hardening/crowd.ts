import { fileURLToPath } from "node:url";
import { ChildProcess } from "../rig/child_process.ts";

/** What each client of a crowd does. */
export interface CrowdPlan {
  readonly port: number;
  readonly count: number;
  /** What it sends at the beginning. */
  readonly first: string;
  /** What it sends again and again, after so many ms each. */
  readonly piece?: string;
  readonly everyMs?: number;
  /** False: it takes nothing of what it is sent. */
  readonly reads?: boolean;
  /** Whoever is closed comes again at once, until the crowd is ended. */
  readonly again?: boolean;
}

/** What became of a crowd. */
export interface CrowdClosed {
  /** Connections that had been opened, and could not be. */
  readonly closed: number;
  readonly refused: number;
  /** Clients that were sent anything. */
  readonly answered: number;
  /** From when all were open until the last one was closed. */
  readonly ms: number;
}

const script = fileURLToPath(new URL("./crowd_clients.ts", import.meta.url));
/** A crowd of ten thousand takes its time. */
const waitMs = 90_000;

/** Many clients in a process of their own, which goes when the test does. */
export class Crowd implements AsyncDisposable {
  private constructor(private readonly child: ChildProcess) {}

  /** Resolves when all clients are connected. */
  static async start(plan: CrowdPlan): Promise<Crowd> {
    const command = [Deno.execPath(), "run", "--allow-net", script, JSON.stringify(plan)];
    const crowd = new Crowd(new ChildProcess("crowd", command));
    await crowd.#said("open");
    return crowd;
  }

  /** Resolves when all of its connections are closed, by whom ever. */
  async closed(): Promise<CrowdClosed> {
    return await this.#said("closed") as CrowdClosed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.child.stop("SIGKILL");
  }

  #said(key: string): Promise<object> {
    return this.child.find((line) => {
      if (!line.startsWith("{")) return undefined;
      const said = JSON.parse(line);
      return key in said ? said : undefined;
    }, waitMs);
  }
}
