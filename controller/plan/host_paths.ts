import { LastResults } from "../../store/last_results.ts";
import type { HostRoutes, IngressPath } from "../../store/route_snapshot.ts";
import { compare } from "./object_order.ts";

/** The compiled paths of each host, by their keys. */
export class HostPaths {
  readonly #hosts = new Map<string, Map<string, IngressPath>>();

  of(host: string): Map<string, IngressPath> {
    let paths = this.#hosts.get(host);
    if (paths === undefined) this.#hosts.set(host, paths = new Map());
    return paths;
  }

  sorted(): HostRoutes[] {
    return [...this.#hosts]
      .sort(([a], [b]) => compare(a, b))
      .map(([host, entries]) => {
        const paths = [...entries.values()];
        const [key = paths] = paths;
        return hostRoutes.get(key, [host, ...paths], () => ({
          host,
          paths: paths.toSorted((a, b) =>
            compare(a.path, b.path) || compare(a.pathType, b.pathType)
          ),
        }));
      });
  }
}

const hostRoutes = new LastResults<WeakKey, HostRoutes>();
