import { Command, Option } from "commander";
import { stringify } from "yaml";
import {
  KubeClient,
  type ManifestPlan,
  planFiles,
  planOverCluster,
  readCluster,
  readManifests,
} from "../controller/mod.ts";
import { version } from "../version.ts";
import { addClusterFlags, type ClusterFlags, operatorName } from "./cluster_flags.ts";
import { addManifestFlags, type ManifestFlags } from "./gateway_flags.ts";
import { addSourceFlags, manifestSources, type SourceFlags } from "./manifest_sources.ts";
import { operatorFlagsNote } from "./operator_flags_note.ts";
import { seenOperator } from "./operator_namespace.ts";
import { offlineOptions, planOptions } from "./plan_options.ts";
import { planText } from "./plan_text.ts";
import { printText } from "./print.ts";
import { connectionOf, exitWith } from "./usage_error.ts";

interface PlanFlags extends SourceFlags, ClusterFlags, ManifestFlags {
  readonly cluster: boolean;
  readonly all: boolean;
  readonly output: "text" | "json" | "yaml";
}

/** `plan`: what applying manifests would change, without writing anything. */
export function planCommand(): Command {
  const command = new Command("plan")
    .option("--cluster", "lay the manifests over what the cluster has now", false)
    .option("--all", "also what stays as it is without the manifests", false)
    .addOption(
      new Option("-o, --output <format>", "format").choices(["text", "json", "yaml"])
        .default("text"),
    );
  return addManifestFlags(addClusterFlags(addSourceFlags(command))).action(printPlan);
}

async function printPlan(flags: PlanFlags, command: Command): Promise<void> {
  const planned = await planOf(flags, command).catch(exitWith);
  const { preview, diagnostics } = planned;
  const data = { ...preview, diagnostics };
  if (flags.output === "text") printText(planText(planned));
  else if (flags.output === "json") printText(`${JSON.stringify(data, undefined, 2)}\n`);
  else printText(stringify(data, { aliasDuplicateObjects: false, lineWidth: 0 }));
  // What is wrong in the cluster already is told, and is no fault of these manifests.
  const isWrong = diagnostics.some(({ severity, file }) => severity === "error" && file);
  if (isWrong) Deno.exit(1);
}

async function planOf(flags: PlanFlags, command: Command): Promise<ManifestPlan> {
  const sources = await manifestSources(flags);
  const isOffline = sources.length > 0 && !flags.cluster && flags.context === undefined &&
    flags.kubeconfig === undefined;
  if (isOffline) {
    const files = await readManifests(sources, flags.namespace ?? "default");
    return planFiles(files, offlineOptions(flags), false);
  }
  const connection = await connectionOf(flags);
  const client = new KubeClient(connection, `${operatorName}/${version}`);
  const files = await readManifests(sources, flags.namespace ?? connection.namespace);
  const { namespace } = await seenOperator(client, connection, flags);
  const options = planOptions(flags, namespace);
  const live = await readCluster(client, flags.watchNamespaces, options.gateway.own);
  client.close();
  const isWhole = flags.all || sources.length === 0;
  const { preview, diagnostics } = planOverCluster(files, live, options, isWhole);
  return { preview, diagnostics: [...operatorFlagsNote(command), ...diagnostics] };
}
