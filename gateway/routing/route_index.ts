import type { ReadableFields } from "../http1/header_fields.ts";
import type { Metrics } from "../../store/metrics.ts";
import type { Backend, RouteSnapshot } from "../../store/route_snapshot.ts";
import { Failure } from "../failures.ts";
import type { CanonicalTarget } from "./canonical_request.ts";
import type { CompiledRule } from "./compiled_rule.ts";
import { type CompiledHosts, type CompiledIngress, TableCompiler } from "./table_compiler.ts";

/** Where a request goes and which rule prices it; no rule means free of charge. */
export interface RouteMatch {
  /** That of the rule, else that of the Ingress path. */
  readonly backend: Backend;
  readonly ingress: CompiledIngress;
  readonly rule: CompiledRule | undefined;
}

/**
 * A snapshot made ready for look-ups that do not depend on the number of routes. The order in which
 * a request is matched:
 *
 * 1. the host: its exact name, else its wildcard, else the entry without a host; never two of them
 * 2. the Ingress path: `Exact`, else the longest `Prefix` by whole segments
 * 3. where there is none: 1 and 2 among those of the fallback, except that a host which is
 *    named now is not served by a wildcard of theirs; none there either is a 404
 * 4. the rules of that Ingress, in the order of its X402Routes: the first whose pattern matches the
 *    path and whose methods include the method; none means free
 */
export class RouteIndex {
  readonly #hosts: CompiledHosts;
  readonly #fallback: CompiledHosts | undefined;
  /** Whether it matters anywhere with which method a path is requested. */
  readonly #dependsOnMethod: boolean;

  /** @param compiler that of the snapshot before, if there is one: it knows what is the same */
  constructor(snapshot: RouteSnapshot, metrics: Metrics, compiler = new TableCompiler(metrics)) {
    compiler.begin();
    this.#hosts = compiler.compile(snapshot);
    const { fallback } = snapshot;
    this.#dependsOnMethod = [...snapshot.ingresses, ...fallback?.ingresses ?? []]
      .some(({ rules }) => rules.some(({ methods }) => methods !== undefined));
    if (fallback === undefined) return;
    const former = new Set(fallback.hosts.map(({ host }) => host));
    // A host without paths keeps wildcards away.
    const named = snapshot.hosts.filter(({ host }) => !former.has(host))
      .map(({ host }) => ({ host, paths: [] }));
    const hosts = [...fallback.hosts, ...named];
    this.#fallback = compiler.compile({ ...fallback, hosts });
  }

  /**
   * @throws {Failure} `no_route`; `ambiguous_path` when another reading of the path, one that a
   * backend may make, falls under another rule that is not free. Which backend it falls to makes no
   * difference: a price belongs to a path, and what no reading prices is free at every backend
   */
  match(target: CanonicalTarget, method: string): RouteMatch {
    const { host, path, segments } = target;
    const match = this.#find(host, path, segments, method);
    if (match === undefined) throw new Failure("no_route", `${host}${path}`);
    const other = this.#pricedOtherwise(target, method, match.rule);
    if (other !== undefined) {
      throw new Failure("ambiguous_path", `${path} can be read as ${other}`);
    }
    return match;
  }

  /**
   * Refuses a request that would fall under another rule that is not free if a backend obeyed one of
   * the headers that ask it to take the request for one of another method.
   * @throws {Failure} `ambiguous_method`
   */
  checkOverrides({ rule }: RouteMatch, target: CanonicalTarget, headers: ReadableFields): void {
    if (!this.#dependsOnMethod) return;
    for (const method of overridingMethods(headers)) {
      const asIs = this.#find(target.host, target.path, target.segments, method);
      if (
        isPricedOtherwise(asIs?.rule, rule) ||
        this.#pricedOtherwise(target, method, rule) !== undefined
      ) throw new Failure("ambiguous_method", "a header asks for a method with another price");
    }
  }

  /** Another reading of the path under which it costs something else than under `rule`. */
  #pricedOtherwise(
    { host, path, segments, readings }: CanonicalTarget,
    method: string,
    rule: CompiledRule | undefined,
  ): string | undefined {
    const isOther = (otherPath: string, otherSegments: readonly string[]) =>
      isPricedOtherwise(this.#find(host, otherPath, otherSegments, method)?.rule, rule);
    // Only `Exact` tells a path from the one with a slash at its end; most backends do not.
    const toggled = path.endsWith("/") ? path.slice(0, -1) : `${path}/`;
    if (this.#hosts.find(host)?.hasExact === true && isOther(toggled, segments)) return toggled;
    return readings.map((reading) => [reading, "/" + reading.join("/")] as const)
      .find(([reading, otherPath]) => isOther(otherPath, reading))?.[1];
  }

  #find(
    host: string,
    path: string,
    segments: readonly string[],
    method: string,
  ): RouteMatch | undefined {
    const found = this.#hosts.find(host)?.find(path, segments) ??
      this.#fallback?.find(host)?.find(path, segments);
    if (found === undefined) return undefined;
    const ingress = found.compiledIngress;
    const rule = ingress.rules.find(segments, method);
    return { backend: rule?.backend ?? found.backend, ingress, rule };
  }
}

/**
 * The methods that a request's headers ask for: of every line, all of a list, and by names that
 * CGI-style backends take for the same (`X_HTTP_Method`).
 */
function overridingMethods(headers: ReadableFields): string[] {
  const methods: string[] = [];
  headers.forEach((value, name) => {
    if (!name.includes("method") || !overrideHeader.test(name)) return;
    for (const method of value.split(",")) methods.push(method.trim().toUpperCase());
  });
  return methods;
}

const overrideHeader =
  /^x[^a-z0-9](?:http[^a-z0-9]method(?:[^a-z0-9]override)?|method[^a-z0-9]override)$/;

function isPricedOtherwise(
  other: CompiledRule | undefined,
  rule: CompiledRule | undefined,
): boolean {
  return other !== undefined && other !== rule && other.access.kind !== "free";
}
