import { fileURLToPath } from "node:url";
import { ChildProcess } from "./child_process.ts";

const script = fileURLToPath(new URL("./facilitator_process.ts", import.meta.url));

/** A facilitator of the published packages, versions 1 and 2, on the local chain. */
export interface Facilitator extends AsyncDisposable {
  /** Without a trailing slash; `/verify`, `/settle` and `/supported` are below it. */
  readonly url: string;
  readonly pid: number;
  /** POSTs to an endpoint and returns its JSON; the status is always 200 for a verdict. */
  post(endpoint: "verify" | "settle", message: unknown): Promise<Record<string, unknown>>;
}

/** Starts the facilitator on `port` (0: a free one) of the loopback interface. */
export async function startFacilitator(rpcUrl: string, port = 0): Promise<Facilitator> {
  const command = [Deno.execPath(), "run", "-A", script, rpcUrl, String(port)];
  const child = new ChildProcess("facilitator", command);
  try {
    const url = await child.find((line) => /^{"listening":"(.+)"}$/.exec(line)?.[1]);
    return {
      url,
      pid: child.pid,
      post: async (endpoint, message) => {
        const headers = { "content-type": "application/json" };
        const body = JSON.stringify(message);
        const reply = await fetch(`${url}/${endpoint}`, { method: "POST", headers, body });
        return await reply.json();
      },
      [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
    };
  } catch (error) {
    await child.stop();
    throw error;
  }
}
