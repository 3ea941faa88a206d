import {
  type Gateway,
  type GatewayOptions,
  sourceCommand,
  startGateway,
} from "../rig/gateway_process.ts";
import { faultsIn } from "./gateway_output.ts";

/** A gateway in a process of its own whose output is looked through at the end. */
export interface WatchedGateway extends AsyncDisposable {
  readonly gateway: Gateway;
  /** SIGTERM; resolves at its end, with what was wrong with that or with its output. */
  end(): Promise<string[]>;
}

/** @param errorFile for standard error, on which a healthy gateway says nothing: its log is elsewhere */
export async function startWatchedGateway(
  options: Pick<GatewayOptions, "manifests" | "flags" | "env">,
  errorFile: string,
): Promise<WatchedGateway> {
  const command = ["sh", "-c", 'exec "$@" 2>"$0"', errorFile, ...sourceCommand];
  const gateway = await startGateway({ ...options, command });
  return {
    gateway,
    async end() {
      const code = await gateway.stop();
      const faults = faultsIn(gateway.log(), await Deno.readTextFile(errorFile));
      return code === 0 ? faults : [`exit code ${code}`, ...faults];
    },
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  };
}
