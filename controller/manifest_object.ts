import { z } from "zod";
import { describeIssue } from "../crd/describe_issue.ts";
import type { Problem } from "../crd/x402route.ts";
import {
  type Ingress,
  ingressSchema,
  keyOf,
  type RawObject,
  type Service,
  serviceSchema,
} from "./cluster_state.ts";
import type { ManifestError } from "./manifest_event.ts";

/** An object that the plan reads, and where it is written. */
export type ManifestObject =
  & {
    readonly file: string;
    /** Line of a field of the object, or of what is around it where there is no such field. */
    readonly lineOf: (path: readonly (string | number)[]) => number;
  }
  & (
    | { readonly kind: "X402Route"; readonly object: RawObject }
    | { readonly kind: "Ingress"; readonly object: Ingress }
    | { readonly kind: "Service"; readonly object: Service }
  );

const namedObject = (namespace: string) =>
  z.looseObject({
    metadata: z.looseObject({
      name: z.string().min(1),
      namespace: z.string().min(1).default(namespace),
    }),
  });

/**
 * Reads an object of a manifest; there is none when its kind is of no interest. An X402Route is
 * taken as it is, because the plan tells its problems; Ingress and Service have to be well-formed.
 *
 * @param namespace of an object that names none
 */
export function readObject(
  value: unknown,
  file: string,
  lineOf: ManifestObject["lineOf"],
  namespace: string,
): { object?: ManifestObject; errors: readonly ManifestError[] } {
  const fail = (path: (string | number)[], reason: string) => ({
    errors: [{ file, line: lineOf(path), reason }],
  });
  // Taken for "of no interest", a manifest whose kind is being edited would open its paid paths.
  if (!isRecord(value) || typeof value.kind !== "string" || typeof value.apiVersion !== "string") {
    return fail([], "this is not a Kubernetes object; it needs apiVersion and kind");
  }
  // A List of objects has been taken apart before.
  if (value.kind === "List") {
    return fail(["items"], "the items of a List must be a list of objects");
  }
  const kind = kindOf(value.kind, value.apiVersion);
  if (kind === undefined) return { errors: [] };
  const refuse = (problems: readonly Problem[], what: string) => ({
    errors: problems.map(({ path, message }) => ({
      file,
      line: lineOf(path),
      reason: `${what}: ${message}`,
    })),
  });
  const named = check(namedObject(namespace), value);
  if ("problems" in named) return refuse(named.problems, kind);
  const object: RawObject = named.value;
  if (kind === "X402Route") return { object: { kind, object, file, lineOf }, errors: [] };

  const parsed = check<Ingress | Service>(
    kind === "Ingress" ? ingressSchema : serviceSchema,
    object,
  );
  if ("problems" in parsed) return refuse(parsed.problems, `${kind} ${keyOf(object.metadata)}`);
  return { object: { kind, object: parsed.value, file, lineOf } as ManifestObject, errors: [] };
}

function check<T>(
  schema: z.ZodType<T>,
  value: unknown,
): { value: T } | { problems: readonly Problem[] } {
  const parsed = schema.safeParse(value);
  return parsed.success
    ? { value: parsed.data }
    : { problems: parsed.error.issues.flatMap((issue) => describeIssue(issue, value, schema)) };
}

/** Any object of our API group counts, so that a mistyped kind or version is told, not ignored. */
function kindOf(kind: string, apiVersion: string): ManifestObject["kind"] | undefined {
  if (kind === "X402Route" || apiVersion.startsWith("x402.io/")) return "X402Route";
  if (kind === "Ingress" && /^(networking\.k8s\.io|extensions)\//.test(apiVersion)) return kind;
  // Knative has Services too, in a group of its own.
  return kind === "Service" && !apiVersion.includes("/") ? kind : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
