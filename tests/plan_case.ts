import assert from "node:assert/strict";
import {
  type ClusterState,
  endpointSliceSchema,
  noObservations,
  type WriteProblem,
} from "../controller/cluster_state.ts";
import { parseManifestFile } from "../controller/manifest_file.ts";
import { noMemory, type Plan, plan, type PlanMemory } from "../controller/plan/plan.ts";
import type { PlanOptions } from "../controller/plan/plan_options.ts";
import { FacilitatorSupport, type SupportedKind } from "../store/facilitator_support.ts";
import type { Backend, RouteSnapshot, RouteTables, Rule } from "../store/route_snapshot.ts";
import { readDocuments } from "./golden.ts";

/**
 * One folder is one case: `input.yaml`, `options.yaml` where they matter, `last.yaml` for what was
 * planned before, `problems.yaml` for what the API server said, and `supported.yaml` for what
 * facilitators said, by URL. `options.yaml` may name files of
 * the parent folder in `with`, whose objects are in the cluster too.
 */
export interface PlanCase {
  readonly state: ClusterState;
  readonly options: PlanOptions;
  readonly memory: PlanMemory;
}

export function readCase(folder: URL): PlanCase {
  const given = readDocuments(new URL("options.yaml", folder))[0] ?? {};
  const { with: shared = [], ...set } = given as Partial<PlanOptions> & { with?: string[] };
  const options: PlanOptions = {
    allowExternalName: true,
    allowedFacilitatorHosts: [],
    clusterDomain: "cluster.local",
    ...set,
  };
  const around = shared.map((name) => new URL(`../${name}.yaml`, folder));
  const last = readState([new URL("last.yaml", folder), ...around]);
  const memory = plan(last, options, noMemory);
  const state = readState([new URL("input.yaml", folder), ...around]);
  const problems = readDocuments(new URL("problems.yaml", folder))[0] ?? {};
  const writeProblems = new Map(Object.entries(problems as Record<string, WriteProblem>));
  const facilitatorSupport = readSupport(new URL("supported.yaml", folder));
  return { state: { ...state, writeProblems, facilitatorSupport }, options, memory };
}

function readSupport(file: URL): ClusterState["facilitatorSupport"] {
  const support = new FacilitatorSupport();
  const answers = readDocuments(file)[0] ?? {};
  for (const [url, kinds] of Object.entries(answers as Record<string, SupportedKind[]>)) {
    support.set(url, kinds);
  }
  return support.known;
}

function readState(files: readonly URL[]): ClusterState {
  const objects = files.flatMap((file) => {
    const text = readText(file);
    if (text === "") return [];
    const parsed = parseManifestFile(file.pathname, text);
    assert.deepEqual(parsed.errors, []);
    return parsed.objects;
  });
  const slices = files.flatMap(readDocuments)
    .filter((object) => (object as { kind?: string } | null)?.kind === "EndpointSlice");
  return {
    routes: objects.flatMap((item) => item.kind === "X402Route" ? [item.object] : []),
    ingresses: objects.flatMap((item) => item.kind === "Ingress" ? [item.object] : []),
    services: objects.flatMap((item) => item.kind === "Service" ? [item.object] : []),
    endpointSlices: slices.map((slice) => endpointSliceSchema.parse(slice)),
    ...noObservations,
  };
}

function readText(file: URL): string {
  try {
    return Deno.readTextFileSync(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

/** What a case of cluster mode expects: the terms of payment are told by the other cases. */
export function clusterOutcome({ snapshot, statuses, writes }: Plan) {
  return {
    snapshot: snapshotOutline(snapshot),
    statuses: Object.fromEntries(statuses.map(({ namespace, name, conditions, ...rest }) => {
      const shown = conditions.map(({ type, status, reason, message }) =>
        [type, `${status}, ${reason}: ${message}`] as const
      );
      const { inForce, activeRoutes } = rest;
      return [`${namespace}/${name}`, { inForce, activeRoutes, ...Object.fromEntries(shown) }];
    })),
    writes,
  };
}

function snapshotOutline({ fallback, ...tables }: RouteSnapshot) {
  return { ...tablesOutline(tables), ...(fallback && { fallback: tablesOutline(fallback) }) };
}

function tablesOutline({ hosts, ingresses }: RouteTables) {
  const nameOf = ({ namespace, name }: { namespace: string; name: string }) =>
    `${namespace}/${name}`;
  return {
    paths: hosts.flatMap(({ host, paths }) =>
      paths.map(({ path, pathType, byText, ingress, backend }) =>
        `${host || "*"} ${pathType} ${path}${byText ? " by text" : ""} of ${
          nameOf(ingresses[ingress]!)
        }: ${goal(backend)}`
      )
    ),
    rules: Object.fromEntries(
      ingresses.map((ingress) => [nameOf(ingress), ingress.rules.map(ruleOutline)]),
    ),
  };
}

function ruleOutline({ pattern, methods, access, backend }: Rule): string {
  const what = access.kind === "paid" ? `paid ${access.terms.price}` : access.kind;
  return [pattern, ...methods ?? [], what, ...backend ? [goal(backend)] : []].join(" ");
}

function goal(backend: Backend): string {
  return "url" in backend ? backend.url : `503, ${backend.unresolved}`;
}
