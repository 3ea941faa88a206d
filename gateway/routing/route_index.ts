import type { CounterHandle, Metrics } from "../../store/metrics.ts";
import type { Backend, IngressPath, RouteSnapshot } from "../../store/route_snapshot.ts";
import { Failure } from "../failures.ts";
import type { CanonicalTarget } from "./canonical_request.ts";
import { type CompiledRule, RuleCompiler } from "./compiled_rule.ts";
import { HostTable } from "./host_table.ts";
import { PathTable } from "./path_table.ts";
import { RuleTrie } from "./rule_trie.ts";

/** Where a request goes and which rule prices it; no rule means free of charge. */
export interface RouteMatch {
  readonly backend: Backend;
  readonly ingress: CompiledIngress;
  readonly rule: CompiledRule | undefined;
}

export interface CompiledIngress {
  readonly namespace: string;
  readonly name: string;
  readonly tlsHosts: readonly string[];
  readonly rules: RuleTrie<CompiledRule>;
  /** Requests that no rule matches. */
  readonly unmatched: CounterHandle;
}

type CompiledPath = IngressPath & { readonly compiledIngress: CompiledIngress };

/**
 * A snapshot made ready for look-ups that do not depend on the number of routes. The order in which
 * a request is matched:
 *
 * 1. the host: its exact name, else its wildcard, else the entry without a host; never two of them
 * 2. the Ingress path: `Exact`, else the longest `Prefix` by whole segments; none is a 404
 * 3. the rules of that Ingress, in the order of its X402Routes: the first whose pattern matches the
 *    path and whose methods include the method; none means free
 */
export class RouteIndex {
  readonly #hosts: HostTable<PathTable<CompiledPath>>;

  constructor(snapshot: RouteSnapshot, metrics: Metrics) {
    const compiler = new RuleCompiler(metrics);
    const ingresses = snapshot.ingresses.map(({ rules, ...ingress }) => ({
      ...ingress,
      rules: new RuleTrie(rules.map((rule) => compiler.compile(rule))),
      unmatched: metrics.requests("unmatched", ingress.namespace, "", "unmatched"),
    }));
    this.#hosts = new HostTable(snapshot.hosts.map(({ host, paths }) => [
      host,
      new PathTable(paths.map((path) => ({ ...path, compiledIngress: ingresses[path.ingress]! }))),
    ]));
  }

  /**
   * @throws {Failure} `no_route`; `ambiguous_path` when another reading of the path, one that a
   * backend may make, falls under another rule that is not free
   */
  match(target: CanonicalTarget, method: string): RouteMatch {
    const paths = this.#hosts.find(target.host);
    const match = paths && find(paths, target.path, target.segments, method);
    if (match === undefined) throw new Failure("no_route", `${target.host}${target.path}`);
    for (const reading of target.readings) {
      const other = find(paths!, "/" + reading.join("/"), reading, method)?.rule;
      if (isPricedOtherwise(other, match.rule)) {
        throw new Failure("ambiguous_path", `${target.path} can be read as /${reading.join("/")}`);
      }
    }
    return match;
  }
}

/**
 * Whether a request would fall under another rule that is not free if a backend obeyed one of the
 * headers that ask it to take the request for one of another method.
 */
export function pricedByOverride(
  { ingress, rule }: RouteMatch,
  target: CanonicalTarget,
  headers: Headers,
): boolean {
  if (!ingress.rules.dependsOnMethod) return false;
  return overrideHeaders.some((name) => {
    const method = headers.get(name)?.trim().toUpperCase();
    return method !== undefined &&
      isPricedOtherwise(ingress.rules.find(target.segments, method), rule);
  });
}

const overrideHeaders = ["x-http-method-override", "x-http-method", "x-method-override"];

function isPricedOtherwise(
  other: CompiledRule | undefined,
  rule: CompiledRule | undefined,
): boolean {
  return other !== undefined && other !== rule && other.access.kind !== "free";
}

function find(
  paths: PathTable<CompiledPath>,
  path: string,
  segments: readonly string[],
  method: string,
): RouteMatch | undefined {
  const found = paths.find(path, segments);
  if (found === undefined) return undefined;
  const ingress = found.compiledIngress;
  return { backend: found.backend, ingress, rule: ingress.rules.find(segments, method) };
}
