import type { Command } from "commander";
import type { Diagnostic } from "../controller/mod.ts";

/** Flags of `run` on which a plan depends. */
const flags = {
  allowExternalName: "--allow-external-name",
  allowFacilitatorHost: "--allow-facilitator-host",
  clusterDomain: "--cluster-domain",
  watchNamespaces: "--watch-namespaces",
} as const;

/** Nothing in a cluster says with which flags its operator runs; told when none of them was given. */
export function operatorFlagsNote(command: Command): Diagnostic[] {
  const isGiven = (name: string) => command.getOptionValueSource(name) !== "default";
  if (Object.keys(flags).some(isGiven)) return [];
  const names = Object.values(flags).join(", ");
  const message = "the flags of the operator cannot be known here; if it has any of " +
    `${names}, give them to plan as well`;
  return [{ severity: "note", message }];
}
