import { literalSegments, type PathPattern } from "../../store/path_pattern.ts";
import type { Ingress, IngressBackend } from "../cluster_state.ts";
import { backendSlots, defaultSlotKey } from "./backend_slots.ts";
import { LastResults } from "../../store/last_results.ts";
import { hasRegexPaths, rewriteAnnotation } from "./patch_safety.ts";

/** A host and path of an Ingress, as its author wrote them but for the host's case. */
export interface IngressPlace {
  readonly ingress: Ingress;
  /** `""` stands for every host that nobody names. */
  readonly host: string;
  readonly path: string;
  readonly pathType: "Exact" | "Prefix" | "ImplementationSpecific";
  readonly backend: IngressBackend;
  /** Key of the slot in the Ingress where the backend is written. */
  readonly slot: string;
  /** Made from the default backend: only where nobody names the path. */
  readonly isDefault: boolean;
}

/** Hosts that the Ingress serves; a default backend serves hosts that nobody names as well. */
export function ingressHosts({ spec }: Ingress): string[] {
  const hosts = (spec.rules ?? []).map(({ host }) => (host ?? "").toLowerCase());
  return [...new Set(spec.defaultBackend === undefined ? hosts : [...hosts, ""])];
}

/** Characters, of which Kubernetes allows any number: a longer path is left as it is. */
const maxPathLength = 1024;

const known = new LastResults<Ingress, readonly IngressPlace[]>();

/** What an Ingress serves; its default backend is the Prefix `/` of each host that has none. */
export function ingressPlaces(ingress: Ingress): readonly IngressPlace[] {
  return known.get(ingress, [], () => readPlaces(ingress));
}

function readPlaces(ingress: Ingress): IngressPlace[] {
  const explicit = backendSlots(ingress).flatMap(({ key, backend, rule }): IngressPlace[] =>
    rule === undefined || rule.path.length > maxPathLength ? [] : [{
      ingress,
      host: rule.host.toLowerCase(),
      path: rule.path || "/",
      pathType: rule.pathType,
      backend,
      slot: key,
      isDefault: false,
    }]
  );
  const backend = ingress.spec.defaultBackend;
  if (backend === undefined) return explicit;
  const rooted = new Set(explicit.filter(isRootPrefix).map(({ host }) => host));
  const defaults = ingressHosts(ingress)
    .filter((host) => !rooted.has(host))
    .map((host): IngressPlace => ({
      ingress,
      host,
      path: "/",
      pathType: "Prefix",
      backend,
      slot: defaultSlotKey,
      isDefault: true,
    }));
  return [...explicit, ...defaults];
}

function isRootPrefix({ path, pathType }: IngressPlace): boolean {
  return path === "/" && pathType !== "Exact";
}

/**
 * Whether an Ingress controller may read the path as a regular expression: by its type only where
 * that is the implementation-specific one, by an annotation whatever the type, and Kong from `/~`
 * on. The gateway reads it as a literal prefix.
 */
export function mayBeRegex({ ingress, path, pathType }: IngressPlace): boolean {
  return hasRegexPaths(ingress) ||
    (pathType === "ImplementationSpecific" && /[\\^$*+?()[\]{}|]|^(?!\/)|^\/~/.test(path));
}

/**
 * Whether the path says nothing about the requests that come: it may be a regular expression, or
 * their path is rewritten on the way.
 */
export function isOpaque(place: IngressPlace): boolean {
  return mayBeRegex(place) || rewriteAnnotation(place.ingress) !== undefined;
}

/** Whether Ingress controllers compare the path character by character: `/foo` has `/foobar` too. */
export function isByText(place: IngressPlace): boolean {
  return place.pathType === "ImplementationSpecific" && !isOpaque(place);
}

/** All request paths of the place, as a pattern; of one by text, those of whole segments. */
export function placePattern(place: IngressPlace): PathPattern {
  if (isOpaque(place)) return ["**"];
  const segments = literalSegments(place.path);
  return place.pathType === "Exact" ? segments : [...segments, "**"];
}
