import {
  normalizePercentEncoding,
  type PathPattern,
  pathSegments,
} from "../../store/path_pattern.ts";
import type { Ingress, IngressBackend } from "../cluster_state.ts";

/** A host and path of an Ingress, as its author wrote them but for the host's case. */
export interface IngressPlace {
  readonly ingress: Ingress;
  /** `""` stands for every host that nobody names. */
  readonly host: string;
  readonly path: string;
  readonly pathType: "Exact" | "Prefix" | "ImplementationSpecific";
  readonly backend: IngressBackend;
  /** Made from the default backend: only where nobody names the path. */
  readonly isDefault: boolean;
}

/** Hosts that the Ingress names; just `""` when it consists of a default backend only. */
export function ingressHosts({ spec }: Ingress): string[] {
  const hosts = (spec.rules ?? []).map(({ host }) => (host ?? "").toLowerCase());
  return hosts.length === 0 ? [""] : [...new Set(hosts)];
}

/** What an Ingress serves; its default backend is the Prefix `/` of each host that has none. */
export function ingressPlaces(ingress: Ingress): IngressPlace[] {
  const explicit = (ingress.spec.rules ?? []).flatMap(({ host, http }) =>
    (http?.paths ?? []).map(({ path, pathType, backend }): IngressPlace => ({
      ingress,
      host: (host ?? "").toLowerCase(),
      path: path ?? "/",
      pathType,
      backend,
      isDefault: false,
    }))
  );
  const backend = ingress.spec.defaultBackend;
  if (backend === undefined) return explicit;
  const defaults = ingressHosts(ingress)
    .filter((host) => !explicit.some((place) => place.host === host && isRootPrefix(place)))
    .map((host): IngressPlace => ({
      ingress,
      host,
      path: "/",
      pathType: "Prefix",
      backend,
      isDefault: true,
    }));
  return [...explicit, ...defaults];
}

function isRootPrefix({ path, pathType }: IngressPlace): boolean {
  return path === "/" && pathType !== "Exact";
}

/**
 * Whether an Ingress controller may read the path as a regular expression, which only the
 * implementation-specific type allows. The gateway reads it as a literal prefix.
 */
export function mayBeRegex({ path, pathType }: IngressPlace): boolean {
  return pathType === "ImplementationSpecific" &&
    (/[\\^$*+?()[\]{}|]/.test(path) || !path.startsWith("/"));
}

/** All request paths of the place, as a pattern; those of a regular expression are not known. */
export function placePattern(place: IngressPlace): PathPattern {
  if (mayBeRegex(place)) return ["**"];
  const segments = pathSegments(normalizePercentEncoding(place.path));
  return place.pathType === "Exact" ? segments : [...segments, "**"];
}
