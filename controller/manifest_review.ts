import type { ConditionReason } from "../crd/condition_reasons.ts";
import type { Problem } from "../crd/x402route.ts";
import type { MissingService } from "./assumed_objects.ts";
import { keyOf } from "./cluster_state.ts";
import type { ManifestFile } from "./manifest_file.ts";
import { stateOf } from "./manifest_set.ts";
import { readIngressRef } from "./plan/blocked_rules.ts";
import type { FindingKind } from "./plan/finding.ts";
import { compare } from "./plan/object_order.ts";
import type { Plan } from "./plan/plan.ts";
import type { RouteStatus } from "./plan/route_status.ts";

/** Something to tell about manifests; `message` is a sentence without its full stop. */
export interface Diagnostic {
  /**
   * `error`: something does not work as written. `warning`: in force as written, but maybe not what
   * was meant. `note`: cannot be judged by these files alone.
   */
  readonly severity: "error" | "warning" | "note";
  /** Absent for an object that is in the cluster and not in the files. Lines count from 1. */
  readonly file?: string;
  readonly line?: number;
  /** `X402Route shop/api`; absent where the file as a whole is meant. */
  readonly object?: string;
  readonly message: string;
}

/**
 * Everything to be told about the files, and about X402Routes that are planned along with them.
 *
 * @param strict whether all that is named should be there; else it may be elsewhere, and is noted
 * @param missing Services that have been assumed
 */
export function reviewManifests(
  files: ManifestFile,
  { statuses }: Pick<Plan, "statuses">,
  missing: readonly MissingService[],
  strict: boolean,
): Diagnostic[] {
  const source = sources(files);
  const absent = absentIngresses(files);
  const diagnostics = [
    ...files.errors.map(({ file, line, reason }): Diagnostic => (
      { severity: "error", file, line, message: reason }
    )),
    ...statuses.flatMap((status) => {
      const isElsewhere = !strict && absent.has(keyOf(status));
      return ofRoute(status, isElsewhere).map(({ path, ...rest }): Diagnostic => (
        { ...rest, ...source(`X402Route ${keyOf(status)}`, path) }
      ));
    }),
    ...missing.map(({ object, path, service }): Diagnostic => ({
      severity: "note",
      ...source(object, path),
      message: `Service ${service} is not among these files, so its ports are not checked`,
    })),
  ];
  return diagnostics.sort((a, b) =>
    compare(a.file ?? "", b.file ?? "") || compare(a.line ?? 0, b.line ?? 0)
  );
}

/** Where an object, such as `Ingress shop/api`, is written. */
function sources({ objects }: ManifestFile) {
  const byName = new Map(
    objects.map((item) => [`${item.kind} ${keyOf(item.object.metadata)}`, item]),
  );
  return (object: string, path: readonly (string | number)[]) => {
    const item = byName.get(object);
    return { object, ...(item && { file: item.file, line: item.lineOf(path) }) };
  };
}

/** The X402Routes (`namespace/name`) whose Ingress is not among the files. */
function absentIngresses({ objects }: ManifestFile): ReadonlySet<string> {
  const { routes, ingresses } = stateOf(objects);
  const present = new Set(ingresses.map(({ metadata }) => keyOf(metadata)));
  const absent = routes.filter((route) => {
    const ingress = readIngressRef(route);
    return ingress !== undefined && !present.has(keyOf(ingress));
  });
  return new Set(absent.map(({ metadata }) => keyOf(metadata)));
}

type Told = Pick<Diagnostic, "severity" | "message"> & Pick<Problem, "path">;

function ofRoute({ problems, warnings, conditions }: RouteStatus, isElsewhere: boolean): Told[] {
  const patched = conditions.find(({ type }) => type === "IngressPatched");
  const isBroken = patched?.status === "False" && !transient.includes(patched.reason);
  return [
    ...problems.map(({ kind, path, message }): Told => {
      if (!isElsewhere || !aboutIngress.includes(kind)) return { severity: "error", path, message };
      const note = "the Ingress that it names is not among these files, so it is not checked";
      return { severity: "note", path, message: kind === "ingress-not-found" ? note : message };
    }),
    ...warnings.map(({ path, message }): Told => ({ severity: "warning", path, message })),
    ...(isBroken
      ? [{
        severity: "error" as const,
        path: ["spec", "ingressRef"],
        message: patched.message.replace(/\.$/, ""),
      }]
      : []),
  ];
}

/** Whether the Ingress allows another namespace cannot be known either where it is not there. */
const aboutIngress: readonly FindingKind[] = ["ingress-not-found", "not-permitted"];

/** They follow from problems that are told by themselves, or end by themselves. */
const transient: readonly ConditionReason[] = ["NotApplied", "Pending"];
