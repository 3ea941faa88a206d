import { type Command } from "commander";
import { serviceAccountDir } from "../controller/mod.ts";
import { booleanText, dnsLabel, namespaceList, portNumber } from "./flag_values.ts";
import { flag, parsed, repeatable } from "./gateway_flags.ts";

/** Flags that say which cluster is meant. */
export interface ConnectionFlags {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly serviceAccountDir: string;
}

/** Flags that name the Services of the gateway. */
export interface ServiceFlags {
  readonly operatorNamespace?: string;
  readonly operatorService: string;
  readonly gatewayServiceName: string;
}

/** Flags that say how Ingresses find the gateway, and what is watched. */
export interface ClusterFlags extends ConnectionFlags, ServiceFlags {
  readonly watchNamespaces: readonly string[];
  readonly gatewayService: "endpoint-slices" | "external-name";
  readonly gatewayPort: number;
  readonly allowExternalName: boolean;
}

export function addConnectionFlags(command: Command): Command {
  return command
    .addOption(flag("--kubeconfig <file>", "cluster to use; default: the one this pod runs in"))
    .addOption(flag("--context <name>", "context of the kubeconfig"))
    .addOption(
      flag("--service-account-dir <dir>", "token, ca.crt and namespace of this pod")
        .default(serviceAccountDir),
    );
}

export function addServiceFlags(command: Command): Command {
  return command
    .addOption(
      flag("--operator-namespace <name>", "where the operator runs; default: that of the pod")
        .argParser(dnsLabel),
    )
    .addOption(
      parsed("--operator-service <name>", "the operator's own Service", dnsLabel, operatorName),
    )
    .addOption(
      parsed("--gateway-service-name <name>", "Service made elsewhere", dnsLabel, "x402-gateway"),
    );
}

export function addExternalNameFlag(command: Command): Command {
  return command.addOption(
    flag(
      "--allow-external-name [true|false]",
      "allow backends that are Services of type ExternalName",
    ).preset("true").argParser(booleanText).default(false),
  );
}

export function addClusterFlags(command: Command): Command {
  return addExternalNameFlag(addServiceFlags(addConnectionFlags(command)))
    .addOption(
      repeatable(
        "--watch-namespaces <name>",
        "namespaces to watch instead of all",
        namespaceList,
      ),
    )
    .addOption(
      flag("--gateway-service <way>", "how Ingresses of other namespaces reach the gateway")
        .choices(["endpoint-slices", "external-name"]).default("endpoint-slices"),
    )
    .addOption(parsed("--gateway-port <port>", "port of these Services", portNumber, "8402"));
}

/** Of the operator's Service, Lease and field manager. */
export const operatorName = "x402-k8s-operator";
