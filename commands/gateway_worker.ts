import { serveAsWorker } from "../gateway/mod.ts";
import { Logger, toStdout } from "../store/log.ts";
import type { GatewayFlags } from "./gateway_flags.ts";
import { gatewaySettings } from "./gateway_settings.ts";
import { ledgerSettings } from "./ledger_flags.ts";

/** How `gateway/` starts one more isolate: the same program, which finds itself to be a worker. */
export function workerStarter(flags: GatewayFlags) {
  return {
    start: () => new Worker(Deno.mainModule, { type: "module", name: "gateway" }),
    parameters: flags,
  };
}

/** The whole life of such an isolate. */
export function runGatewayWorker(): void {
  serveAsWorker(async (parameters, worker) => {
    const flags = parameters as GatewayFlags;
    const log = new Logger(flags.logLevel, toStdout, { worker });
    logUnhandledRejections(log);
    return { settings: await gatewaySettings(flags, log), ledger: ledgerSettings(flags), log };
  });
}

/** One request must not end the others, not even by a fault of ours. */
export function logUnhandledRejections(log: Logger): void {
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    log.error("unhandled rejection", { reason: String(event.reason?.stack ?? event.reason) });
  });
}
