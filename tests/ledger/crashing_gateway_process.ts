import { fileURLToPath } from "node:url";
import { ChildProcess } from "../rig/child_process.ts";
import type { CrashPlan } from "../support/crashing_gateway.ts";

const script = fileURLToPath(new URL("../support/crashing_gateway.ts", import.meta.url));

/** A gateway in a process of its own, see `crashing_gateway.ts`. */
export interface CrashingGateway extends AsyncDisposable {
  readonly url: string;
  readonly process: ChildProcess;
}

export async function startCrashingGateway(plan: CrashPlan): Promise<CrashingGateway> {
  const command = [Deno.execPath(), "run", "-A", "--unstable-net"];
  const process = new ChildProcess("gateway", [...command, script, JSON.stringify(plan)]);
  try {
    const url = await process.find((line) => /^{"listening":"(.+)"}$/.exec(line)?.[1]);
    return { url, process, [Symbol.asyncDispose]: async () => void await process.stop("SIGKILL") };
  } catch (error) {
    await process.stop("SIGKILL");
    throw error;
  }
}
