import { Command, Option } from "commander";
import { planFiles, readManifests } from "../controller/mod.ts";
import { addExternalNameFlag } from "./cluster_flags.ts";
import { diagnosticCounts, diagnosticLine } from "./diagnostic_lines.ts";
import { addManifestFlags, type ManifestFlags } from "./gateway_flags.ts";
import { addSourceFlags, manifestSources, type SourceFlags } from "./manifest_sources.ts";
import { offlineOptions } from "./plan_options.ts";
import { printLine, printText } from "./print.ts";
import { exitWith } from "./usage_error.ts";

interface ValidateFlags extends SourceFlags, ManifestFlags {
  readonly strict: boolean;
  readonly output: "text" | "json";
  readonly allowExternalName: boolean;
}

/** `validate`: whether manifests are right, for pipelines; exit code 1 when they are not. */
export function validateCommand(): Command {
  const command = new Command("validate")
    .option("--strict", "everything that is named has to be among the files", false)
    .addOption(
      new Option("-o, --output <format>", "format").choices(["text", "json"]).default("text"),
    );
  return addExternalNameFlag(addManifestFlags(addSourceFlags(command))).action(validate);
}

async function validate(flags: ValidateFlags, command: Command): Promise<void> {
  if (flags.filename.length + flags.kustomize.length === 0) {
    command.error("error: give the manifests with -f <path> or -k <dir>");
  }
  const sources = await manifestSources(flags).catch(exitWith);
  const files = await readManifests(sources, flags.namespace ?? "default");
  const { diagnostics } = planFiles(files, offlineOptions(flags), flags.strict);
  const valid = diagnostics.every(({ severity }) => severity !== "error");
  if (flags.output === "json") {
    printText(`${JSON.stringify({ valid, diagnostics }, undefined, 2)}\n`);
  } else {
    for (const diagnostic of diagnostics) printLine(diagnosticLine(diagnostic));
    const counts = diagnosticCounts(diagnostics);
    const kinds = files.objects.map(({ kind }) => kind);
    printLine(`${valid ? "valid" : "not valid"}: ${countKinds(kinds)}${counts && `; ${counts}`}`);
  }
  if (!valid) Deno.exit(1);
}

/** What was checked, so that nobody takes "nothing" for "all right". */
function countKinds(kinds: readonly string[]): string {
  return (["X402Route", "Ingress", "Service"] as const).map((kind) => {
    const count = kinds.filter((each) => each === kind).length;
    return `${count} ${kind}${count === 1 ? "" : kind === "Ingress" ? "es" : "s"}`;
  }).join(", ");
}
