import { Command } from "commander";
import { startManifestLoop } from "../controller/mod.ts";
import { dropPrograms } from "./drop_permissions.ts";
import { folder } from "./flag_values.ts";
import { addGatewayFlags, flag, type GatewayFlags } from "./gateway_flags.ts";
import { manifestReporter } from "./manifest_report.ts";
import { serve } from "./serve.ts";

/** `gateway`: standalone mode, the whole product on a folder of manifests. */
export function gatewayCommand(): Command {
  const command = new Command("gateway")
    .addOption(
      flag("--manifests <dir>", "folder with X402Route, Ingress and Service manifests")
        .argParser(folder).makeOptionMandatory(),
    );
  return addGatewayFlags(command, "0s").action(runGateway);
}

function runGateway(flags: GatewayFlags & { readonly manifests: string }): Promise<void> {
  dropPrograms();
  return serve(flags, ({ gateway, facilitators, metrics, log, signal }) =>
    startManifestLoop({
      folder: flags.manifests,
      options: {
        // The folder's author is the one who runs the gateway: nobody else can name a backend here.
        allowExternalName: true,
        allowedFacilitatorHosts: flags.allowFacilitatorHost,
        clusterDomain: flags.clusterDomain,
      },
      facilitators,
      publish: (snapshot) => gateway.publish(snapshot),
      report: manifestReporter(log, metrics),
      signal,
    }));
}
