import { Command } from "commander";
import {
  type IngressChange,
  KubeClient,
  restoreCluster,
  RestoreLease,
  type RestoreWrite,
} from "../controller/mod.ts";
import { version } from "../version.ts";
import { addConnectionFlags, addServiceFlags, operatorName } from "./cluster_flags.ts";
import type { ConnectionFlags, ServiceFlags } from "./cluster_flags.ts";
import { namespaceList } from "./flag_values.ts";
import { findOperator } from "./operator_namespace.ts";
import { printLine } from "./print.ts";
import { connectionOf, exitWith } from "./usage_error.ts";

interface RestoreFlags extends ConnectionFlags, ServiceFlags {
  readonly all: boolean;
  readonly namespace: readonly string[];
  readonly dryRun: boolean;
  readonly force: boolean;
  readonly takeLease: boolean;
}

/** `restore`: puts back what the operator has changed; for uninstalling, and when it is broken. */
export function restoreCommand(): Command {
  const command = new Command("restore")
    .option("--all", "in all namespaces", false)
    .option("-n, --namespace <name>", "in this namespace (repeat for more)", namespaceList, [])
    .option("--dry-run", "only print what would be done", false)
    .option("--force", "even if an operator is running, which would patch again at once", false)
    .option(
      "--take-lease",
      "take the Lease from a running operator, which then writes nothing until a minute later",
      false,
    );
  return addServiceFlags(addConnectionFlags(command)).action(restore);
}

async function restore(flags: RestoreFlags, command: Command): Promise<void> {
  let lease: RestoreLease | undefined;
  if (flags.all === flags.namespace.length > 0) {
    command.error("error: give either --all or --namespace <name>");
  }
  try {
    const connection = await connectionOf(flags);
    const client = new KubeClient(connection, `${operatorName}/${version}`);
    const { namespace, holder, renewedMsAgo = 0 } = await findOperator(client, connection, flags);
    if (flags.takeLease && !flags.dryRun) {
      lease = await RestoreLease.take({ client, namespace, name: operatorName }, tellWait);
    } else if (holder !== undefined && !flags.force && !flags.dryRun) {
      throw new Error(
        `the operator ${holder} has renewed its Lease ${namespace}/${operatorName} ` +
          `${Math.round(renewedMsAgo / 1000)} s ago and would patch everything again; scale it ` +
          "down and wait, or use --take-lease",
      );
    }
    const { failures, unknown } = await restoreCluster({
      client,
      namespaces: flags.namespace,
      own: { namespace, name: flags.operatorService },
      serviceName: flags.gatewayServiceName,
      dryRun: flags.dryRun,
      report: (write) => printLine(describe(write, flags.dryRun)),
      signal: new AbortController().signal,
    });
    const left = [...failures, ...unknown.flatMap(unknownOriginals)];
    for (const line of left) printLine(line, Deno.stderr);
    // Kept only when all is well: paths that still lead to the gateway need an operator.
    await (left.length > 0 ? lease?.release() : lease?.keep());
    lease = undefined;
    client.close();
    if (left.length > 0) Deno.exit(1);
    printLine(flags.dryRun ? "Nothing was written." : "Everything is as its authors wrote it.");
  } catch (error) {
    // The failure that counts is the first one.
    await lease?.release().catch(() => {});
    exitWith(error);
  }
}

function tellWait(holder: string, ms: number): void {
  printLine(`Took the Lease from ${holder}; waiting ${ms / 1000} s until it can write no more.`);
}

function describe({ resource, verb, namespace, name, note }: RestoreWrite, dryRun: boolean) {
  const done = verb === "delete" ? "deleted" : "patched";
  return `${resource} ${namespace}/${name} ${dryRun ? "would be " : ""}${done}: ${note}`;
}

function unknownOriginals({ namespace, name, paths }: IngressChange): string[] {
  return paths.map(({ host, path }) =>
    `Ingress ${namespace}/${name}: path ${JSON.stringify(path)} of ${host || "every host"} leads ` +
    "to the gateway, and it is not known where it led before; write its backend into the Ingress, " +
    "and run this again"
  );
}
