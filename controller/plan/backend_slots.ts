import type { Ingress, IngressBackend } from "../cluster_state.ts";
import { LastResults } from "../../store/last_results.ts";

/** A place in the spec of an Ingress where a backend is written. */
export interface BackendSlot {
  /**
   * Tells the slot from the others of its Ingress, whatever else changes in it: `default`, or host,
   * path type and path as they are spelled, and a number where all three occur again.
   */
  readonly key: string;
  /** JSON Pointer (RFC 6901) to the backend. */
  readonly pointer: string;
  readonly backend: IngressBackend;
  /** Absent for the default backend. */
  readonly rule?: {
    readonly host: string;
    /** `""` when there is none. */
    readonly path: string;
    readonly pathType: "Exact" | "Prefix" | "ImplementationSpecific";
  };
}

export const defaultSlotKey = "default";

const known = new LastResults<Ingress, readonly BackendSlot[]>();

/** All backends that an Ingress names, in the order of its spec. */
export function backendSlots(ingress: Ingress): readonly BackendSlot[] {
  return known.get(ingress, [], () => readSlots(ingress));
}

function readSlots({ spec }: Ingress): BackendSlot[] {
  const seen = new Map<string, number>();
  const slots: BackendSlot[] = (spec.rules ?? []).flatMap(({ host = "", http }, ruleIndex) =>
    (http?.paths ?? []).map(({ path = "", pathType, backend }, pathIndex) => {
      const key = `${host} ${pathType} ${path}`;
      const count = (seen.get(key) ?? 0) + 1;
      seen.set(key, count);
      return {
        key: slotKey(host, numbered(pathType, count), path),
        pointer: `/spec/rules/${ruleIndex}/http/paths/${pathIndex}/backend`,
        backend,
        rule: { host, path, pathType },
      };
    })
  );
  if (spec.defaultBackend !== undefined) {
    const pointer = "/spec/defaultBackend";
    slots.push({ key: defaultSlotKey, pointer, backend: spec.defaultBackend });
  }
  return slots;
}

/** `typeAndCount` is the path type, from the second of its kind on with a number: `Prefix#2`. */
export function slotKey(host: string, typeAndCount: string, path: string): string {
  return `${host} ${typeAndCount} ${path}`;
}

/** What the key of a slot with a path consists of. Hosts and path types have no spaces, a path may. */
export function slotParts(key: string): { host: string; typeAndCount: string; path: string } {
  const [, host, typeAndCount, path] = /^([^ ]*) ([^ ]*) (.*)$/s.exec(key)!;
  return { host: host!, typeAndCount: typeAndCount!, path: path! };
}

function numbered(pathType: string, count: number): string {
  return count === 1 ? pathType : `${pathType}#${count}`;
}

/** The Ingress with other backends, by slot key; it shares with the given one what stays. */
export function withBackends(
  ingress: Ingress,
  backends: ReadonlyMap<string, IngressBackend>,
): Ingress {
  if (backends.size === 0) return ingress;
  const slots = backendSlots(ingress).values();
  const next = () => {
    const { key, backend } = slots.next().value!;
    return backends.get(key) ?? backend;
  };
  const { rules, defaultBackend, ...rest } = ingress.spec;
  return {
    ...ingress,
    spec: {
      ...rest,
      ...(rules && {
        rules: rules.map((rule) =>
          rule.http === undefined ? rule : {
            ...rule,
            http: { paths: rule.http.paths.map((path) => ({ ...path, backend: next() })) },
          }
        ),
      }),
      ...(defaultBackend && { defaultBackend: next() }),
    },
  };
}

export function sameBackend(a: IngressBackend | undefined, b: IngressBackend): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
