import type { GatewaySettings } from "../gateway/mod.ts";
import type { Logger } from "../store/log.ts";
import { connectionSettings } from "./connection_flags.ts";
import { facilitatorSettings } from "./facilitator_flags.ts";
import type { GatewayFlags } from "./gateway_flags.ts";
import { limitSettings } from "./limit_flags.ts";
import { paymentSettings } from "./ledger_flags.ts";

/** @throws {UsageError} when what the flags name cannot be used */
export async function gatewaySettings(flags: GatewayFlags, log: Logger): Promise<GatewaySettings> {
  const hosts = {
    allowedFacilitatorHosts: flags.allowFacilitatorHost,
    clusterDomain: flags.clusterDomain,
  };
  return {
    ...hosts,
    listen: flags.listen,
    workers: flags.workers,
    metricsListen: flags.metricsListen,
    probeListen: flags.probeListen,
    trustedProxies: flags.trustedProxies,
    corsOrigins: flags.cors,
    facilitator: await facilitatorSettings(flags, hosts, log),
    ...connectionSettings(flags),
    ...limitSettings(flags),
    accessLog: flags.accessLog,
    ...paymentSettings(flags),
  };
}
