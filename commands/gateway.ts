import { Command } from "commander";
import { startManifestLoop } from "../controller/mod.ts";
import { type Gateway, type GatewaySettings, startGateway } from "../gateway/mod.ts";
import { Logger } from "../store/log.ts";
import { Metrics } from "../store/metrics.ts";
import { addGatewayFlags, type GatewayFlags } from "./gateway_flags.ts";
import { manifestReporter } from "./manifest_report.ts";

/** `gateway`: standalone mode, the whole product on a folder of manifests. */
export function gatewayCommand(): Command {
  const command = new Command("gateway")
    .description("Serve the Ingresses and X402Routes of a folder of manifests, without a cluster.");
  return addGatewayFlags(command).action(runGateway);
}

async function runGateway(flags: GatewayFlags): Promise<void> {
  const log = new Logger(flags.logLevel);
  const metrics = new Metrics();
  let gateway: Gateway;
  try {
    gateway = startGateway(settingsOf(flags), metrics, log);
  } catch (error) {
    log.error("cannot start", { reason: (error as Error).message });
    Deno.exit(1);
  }
  const addresses = Object.entries(gateway.addresses)
    .map(([name, { hostname, port }]) => [name, `${hostname}:${port}`]);
  log.info("gateway listening", Object.fromEntries(addresses));

  const stop = new AbortController();
  const loop = startManifestLoop({
    folder: flags.manifests,
    options: {
      // The folder's author is the one who runs the gateway: nobody else can name a backend here.
      allowExternalName: true,
      allowedFacilitatorHosts: flags.allowFacilitatorHost,
      clusterDomain: flags.clusterDomain,
    },
    publish: (snapshot) => gateway.publish(snapshot),
    report: manifestReporter(log, metrics),
    signal: stop.signal,
  });
  // One request must not end the others, not even by a fault of ours.
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    log.error("unhandled rejection", { reason: String(event.reason?.stack ?? event.reason) });
  });
  await Promise.race([terminated(), loop]);
  log.info("draining", { timeoutMs: flags.drainTimeout });
  const clean = await gateway.drain(flags.drainTimeout);
  if (!clean) log.warn("drain timeout: replies in progress were cut off");
  stop.abort();
  // Whatever still holds the process up at this point, nobody waits for it.
  Deno.exit(0);
}

/** Resolves on SIGTERM (Kubernetes, docker stop) or SIGINT (Ctrl-C). */
function terminated(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, () => resolve());
  }
  return promise;
}

function settingsOf(flags: GatewayFlags): GatewaySettings {
  return {
    listen: flags.listen,
    metricsListen: flags.metricsListen,
    probeListen: flags.probeListen,
    trustedProxies: flags.trustedProxies,
    corsOrigins: flags.cors,
    facilitator: { verifyMs: flags.verifyTimeout, settleMs: flags.settleTimeout },
    proxy: {
      connectOrHeadMs: flags.upstreamTimeout,
      idleMs: flags.idleTimeout,
      maxBodyBytes: flags.maxBodyBytes,
      maxChunkedBodyBytes: flags.maxChunkedBodyBytes,
    },
    accessLog: flags.accessLog,
  };
}
