import type { HostRoutes, IngressPath } from "../../store/route_snapshot.ts";
import { normalizePercentEncoding } from "../../store/path_pattern.ts";
import { type Ingress, keyOf, type Service } from "../cluster_state.ts";
import { type Finding, finding, type FindingKind } from "./finding.ts";
import {
  ingressHosts,
  type IngressPlace,
  ingressPlaces,
  isByText,
  isOpaque,
  mayBeRegex,
} from "./ingress_places.ts";
import { defaultSlotKey } from "./backend_slots.ts";
import { LastResults } from "../../store/last_results.ts";
import { rewriteAnnotation } from "./patch_safety.ts";
import { HostClasses, ingressClass } from "./host_classes.ts";
import { HostPaths } from "./host_paths.ts";
import { byAge } from "./object_order.ts";
import type { PlanOptions } from "./plan_options.ts";
import { resolveBackend } from "./resolve_backend.ts";

/** The hosts of the snapshot and of its fallback, and what the X402Routes of each Ingress have to be told. */
export interface CompiledHosts {
  readonly hosts: readonly HostRoutes[];
  readonly fallback: readonly HostRoutes[];
  readonly findings: ReadonlyMap<Ingress, readonly Finding[]>;
}

/**
 * Compiles the Ingresses of `served`, given in the order of `RouteSnapshot.ingresses`. Where two
 * name the same host and path, the older one gets it; a default backend gets only what nobody names.
 * What stands on a host of another class goes to the fallback; hosts belong to those Ingresses that
 * are `priced` by an X402Route. One of the `others` takes nothing away, but is reported all the same: which of the two an Ingress
 * controller follows is its own affair, and it may be both (a canary). `services` are by `namespace/name`.
 */
export function compileHosts(
  served: readonly Ingress[],
  priced: ReadonlySet<Ingress>,
  others: readonly Ingress[],
  services: ReadonlyMap<string, Service>,
  options: PlanOptions,
): CompiledHosts {
  const indices = new Map(served.map((ingress, index) => [ingress, index]));
  const classes = new HostClasses(served.filter((each) => priced.has(each)));
  const strangerOf = (host: string, ingress: Ingress) =>
    options.gateway && classes.stranger(host, ingress);
  const findings = new Map<Ingress, Finding[]>(served.map((ingress) => [ingress, []]));
  const hosts = new HostPaths();
  const fallback = new HostPaths();
  // A host without paths counts too: it keeps wildcards of others away.
  for (const ingress of served) {
    for (const host of ingressHosts(ingress)) if (!strangerOf(host, ingress)) hosts.of(host);
  }
  const owners = new Owners();
  for (const place of placesByPriority([...served, ...others], options)) {
    const { ingress, host } = place;
    const { key, hostAndKey } = compiledPath(place);
    const index = indices.get(ingress);
    // Two controllers may well serve one host, as inside and outside of a network.
    const ofClass = owners.of(ingressClass(ingress));
    const owned = index === undefined ? ofClass : owners.of("(gateway)");
    const owner = owned.get(hostAndKey) ?? ofClass.get(hostAndKey) ?? ingress;
    if (!owned.has(hostAndKey)) owned.set(hostAndKey, ingress);
    if (index === undefined) {
      const charged = owners.of("(gateway)").get(hostAndKey);
      if (charged && ingressClass(charged) === ingressClass(ingress) && isExclusive(place)) {
        const conflict = ingressConflict({ ...place, ingress: charged }, ingress, "too, uncharged");
        report(findings.get(charged)!, [conflict]);
      }
      continue;
    }
    if (owner !== ingress && isExclusive(place)) {
      report(findings.get(ingress)!, [ingressConflict(place, owner)]);
    }
    const stranger = strangerOf(host, ingress);
    if (stranger) report(findings.get(ingress)!, [classConflict(place, stranger)]);
    const paths = (stranger ? fallback : hosts).of(host);
    if (paths.has(key)) continue;
    const compiled = compilePlace(place, index, services, options);
    paths.set(key, compiled.path);
    report(findings.get(ingress)!, compiled.findings);
  }
  return { hosts: hosts.sorted(), fallback: fallback.sorted(), findings };
}

/** The Ingresses that have a host and path, by who serves them. */
class Owners {
  readonly #byServer = new Map<string, Map<string, Ingress>>();

  /** By `ComparedPath.hostAndKey`. */
  of(server: string): Map<string, Ingress> {
    let owners = this.#byServer.get(server);
    if (owners === undefined) this.#byServer.set(server, owners = new Map());
    return owners;
  }
}

/** Whether two Ingresses that have it are a mistake, and not up to the Ingress controller. */
function isExclusive({ isDefault, host, ingress, slot }: IngressPlace): boolean {
  if (!isDefault) return true;
  return slot === defaultSlotKey && (host !== "" || (ingress.spec.rules ?? []).length === 0);
}

/**
 * Behind an Ingress controller that rewrites paths or takes them for regular expressions, requests
 * come with paths that the Ingress does not name; they get what is left of the host.
 */
function placesByPriority(ingresses: readonly Ingress[], { gateway }: PlanOptions): IngressPlace[] {
  const places = [...ingresses]
    .sort((a, b) => byAge(a.metadata, b.metadata))
    .flatMap(ingressPlaces);
  const opaque = gateway === undefined ? [] : places.filter(isOpaque);
  return [
    ...places.filter(({ isDefault }) => !isDefault),
    ...opaque.map((place): IngressPlace => ({
      ...place,
      path: "/",
      pathType: "Prefix",
      isDefault: true,
    })),
    ...places.filter(({ isDefault }) => isDefault),
  ];
}

interface CompiledPlace {
  readonly path: IngressPath;
  readonly findings: readonly Finding[];
}

const compiledPlaces = new LastResults<IngressPlace, CompiledPlace>();

/** @param ingress index of the place's Ingress */
function compilePlace(
  place: IngressPlace,
  ingress: number,
  services: ReadonlyMap<string, Service>,
  options: PlanOptions,
): CompiledPlace {
  const { namespace } = place.ingress.metadata;
  const { name = "" } = place.backend.service ?? {};
  const service = services.get(keyOf({ namespace, name }));
  return compiledPlaces.get(place, [ingress, service, options], () => {
    const { path, pathType } = compiledPath(place);
    const backend = resolveBackend(namespace, place.backend, services, options);
    const byText = options.gateway !== undefined && isByText(place) && { byText: true as const };
    const compiled = { path, pathType, ...byText, ingress, backend };
    return { path: compiled, findings: placeFindings(place, compiled, options) };
  });
}

type ComparedPath = Pick<IngressPath, "path" | "pathType"> & {
  readonly key: string;
  readonly hostAndKey: string;
};

const comparedPaths = new LastResults<IngressPlace, ComparedPath>();

/** The path as the gateway compares it: `/a` and `/a/` are one prefix, `%7e` and `~` one character. */
function compiledPath(place: IngressPlace): ComparedPath {
  return comparedPaths.get(place, [], () => {
    const pathType = place.pathType === "Exact" ? "Exact" : "Prefix";
    const normalized = normalizePercentEncoding(place.path);
    const path = pathType === "Exact" ? normalized : normalized.replace(/(?<=.)\/$/, "");
    const key = `${pathType} ${path}`;
    return { path, pathType, key, hostAndKey: `${place.host} ${key}` };
  });
}

function placeFindings(
  place: IngressPlace,
  { backend }: IngressPath,
  { gateway }: PlanOptions,
): Finding[] {
  const findings: Finding[] = [];
  const isKnown = place.backend.service !== undefined || place.backend.resource !== undefined;
  if ("unresolved" in backend && isKnown) {
    findings.push(ofIngress("backend-not-found", place, `but ${backend.unresolved}`));
  }
  const rewrite = rewriteAnnotation(place.ingress);
  if (gateway !== undefined && rewrite !== undefined) {
    const sentence = `whose annotation ${rewrite} rewrites paths; rules match the path after that`;
    findings.push(ofIngress("warning", place, sentence));
  }
  if (gateway === undefined && mayBeRegex(place)) {
    const path = JSON.stringify(place.path);
    const sentence = `whose path ${path} looks like a regular expression; the gateway takes it ` +
      "literally, as a prefix";
    findings.push(ofIngress("warning", place, sentence));
  }
  return findings;
}

function ingressConflict(place: IngressPlace, winner: Ingress, how = ""): Finding {
  const host = place.host === "" ? "every host" : place.host;
  const sentence = `whose path ${JSON.stringify(place.path)} of ${host} is served by ` +
    `Ingress ${keyOf(winner.metadata)}${how && ` ${how}`}`;
  return ofIngress("ingress-conflict", place, sentence);
}

/** Inside and outside of a network one namespace may have both; with others it is a quarrel. */
function classConflict(place: IngressPlace, owner: Ingress): Finding {
  const { namespace } = place.ingress.metadata;
  const kind = owner.metadata.namespace === namespace ? "warning" : "ingress-conflict";
  const sentence = `whose host ${place.host || "(every host)"} belongs to Ingress ` +
    `${keyOf(owner.metadata)}, which is older and of another class; that one's paths come first`;
  return ofIngress(kind, place, sentence);
}

function ofIngress(kind: FindingKind, { ingress }: IngressPlace, sentence: string): Finding {
  const names = `names Ingress ${keyOf(ingress.metadata)}, ${sentence}`;
  return finding(kind, ["spec", "ingressRef"], names);
}

/** Several paths often have the same missing Service: told once. */
function report(known: Finding[], news: readonly Finding[]): void {
  for (const { kind, problem } of news) {
    if (!known.some((old) => old.problem.message === problem.message)) {
      known.push({ kind, problem });
    }
  }
}

/** By the first path that was found. */
