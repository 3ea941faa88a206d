import type {
  HostRoutes,
  IngressPath,
  IngressRules,
  RouteSnapshot,
  RouteTables,
} from "../store/route_snapshot.ts";

interface GonePath {
  readonly host: string;
  readonly path: IngressPath;
  readonly ingress: IngressRules;
  /** On the clock of the caller, ms. */
  readonly until: number;
}

/**
 * Remembers for a while the paths that have just gone, with their backends and prices: proxies in
 * front need seconds to notice that an Ingress has changed, and go on sending their requests.
 */
export class DrainingRoutes {
  #current: ReadonlyMap<string, Omit<GonePath, "until">> = new Map();
  readonly #gone = new Map<string, GonePath>();

  /** @param keepMs how long a path is served after it has gone */
  constructor(private readonly keepMs: number) {}

  /** When the next path is to be forgotten; undefined when there is none. */
  get nextEnd(): number | undefined {
    // In order of their going: all are kept for the same time.
    return this.#gone.values().next().value?.until;
  }

  /** The snapshot with the paths that have gone lately; `now` in ms, never decreasing. */
  add(snapshot: RouteSnapshot, now: number): RouteSnapshot {
    const { fallback = noTables } = snapshot;
    const paths = new Map([...pathsOf(fallback), ...pathsOf(snapshot)]);
    for (const [key, path] of this.#current) {
      if (!paths.has(key)) this.#gone.set(key, { ...path, until: now + this.keepMs });
    }
    for (const [key, { until }] of this.#gone) {
      if (until <= now || paths.has(key)) this.#gone.delete(key);
    }
    this.#current = paths;
    if (this.#gone.size === 0) return snapshot;
    const places = [...pathsOf(fallback).values(), ...this.#gone.values()];
    return { ...snapshot, fallback: tablesOf(places) };
  }
}

const noTables: RouteTables = { hosts: [], ingresses: [] };

function pathsOf({ hosts, ingresses }: RouteTables): Map<string, Omit<GonePath, "until">> {
  return new Map(
    hosts.flatMap(({ host, paths }) =>
      paths.map((path) =>
        [
          `${host} ${path.pathType} ${path.path}`,
          { host, path, ingress: ingresses[path.ingress]! },
        ] as const
      )
    ),
  );
}

function tablesOf(gone: readonly Omit<GonePath, "until">[]): RouteTables {
  const ingresses = [...new Set(gone.map(({ ingress }) => ingress))];
  const hosts = new Map<string, IngressPath[]>();
  for (const { host, path, ingress } of gone) {
    const paths = hosts.get(host) ?? [];
    hosts.set(host, paths);
    paths.push({ ...path, ingress: ingresses.indexOf(ingress) });
  }
  return {
    hosts: [...hosts].map(([host, paths]): HostRoutes => ({ host, paths })),
    ingresses,
  };
}
