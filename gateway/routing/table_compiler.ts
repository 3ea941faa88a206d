import { LastResults } from "../../store/last_results.ts";
import type { Metrics } from "../../store/metrics.ts";
import type { RouteTally, Tally } from "../../store/route_counter.ts";
import type {
  HostRoutes,
  IngressPath,
  IngressRules,
  RouteTables,
} from "../../store/route_snapshot.ts";
import { type CompiledRule, RuleCompiler } from "./compiled_rule.ts";
import { HostTable } from "./host_table.ts";
import { PathTable } from "./path_table.ts";
import { RuleTrie } from "./rule_trie.ts";

export interface CompiledIngress {
  readonly namespace: string;
  readonly name: string;
  readonly tlsHosts: readonly string[];
  readonly rules: RuleTrie<CompiledRule>;
  /** Requests that no rule matches. */
  readonly unmatched: RouteTally;
  /** All that is counted of it. */
  readonly tallies: readonly Tally[];
}

export type CompiledPath = IngressPath & { readonly compiledIngress: CompiledIngress };
export type CompiledHosts = HostTable<PathTable<CompiledPath>>;

/**
 * Makes the routes of snapshots ready for look-ups. What is the very same as in the snapshot before
 * is not made anew: one changed price among a thousand Ingresses is one Ingress to compile.
 */
export class TableCompiler {
  /** Of this snapshot alone: what comes back later may have been forgotten by the metrics. */
  #ingresses = new Map<IngressRules, CompiledIngress>();
  #former = this.#ingresses;
  readonly #paths = new LastResults<HostRoutes, PathTable<CompiledPath>>();
  readonly #rules: RuleCompiler;

  constructor(private readonly metrics: Metrics) {
    this.#rules = new RuleCompiler(metrics);
  }

  /** Begins a snapshot, of which all calls of `compile` are until the next. */
  begin(): void {
    this.#rules.begin();
    this.#former = this.#ingresses;
    this.#ingresses = new Map();
  }

  compile({ ingresses, hosts }: RouteTables): CompiledHosts {
    const compiled = ingresses.map((ingress) => this.#ingress(ingress));
    return new HostTable(hosts.map((entry) => [entry.host, this.#pathTable(entry, compiled)]));
  }

  /** What is counted of the routes of this snapshot. */
  *tallies(): Generator<Tally> {
    for (const { tallies } of this.#ingresses.values()) yield* tallies;
  }

  #ingress(ingress: IngressRules): CompiledIngress {
    const compiled = this.#former.get(ingress) ?? this.#compileIngress(ingress);
    this.#ingresses.set(ingress, compiled);
    return compiled;
  }

  #compileIngress(ingress: IngressRules): CompiledIngress {
    const rules = ingress.rules.map((rule) => this.#rules.compile(rule));
    const unmatched = this.metrics.requests("unmatched", ingress.namespace, "");
    // Many rules share a network and a facilitator.
    const tallies = [...new Set<Tally>([unmatched, ...rules.flatMap((rule) => rule.tallies)])];
    return { ...ingress, rules: new RuleTrie(rules), unmatched, tallies };
  }

  #pathTable(entry: HostRoutes, ingresses: readonly CompiledIngress[]): PathTable<CompiledPath> {
    const named = entry.paths.map(({ ingress }) => ingresses[ingress]!);
    return this.#paths.get(entry, named, () =>
      new PathTable(
        entry.paths.map((path, index) => ({ ...path, compiledIngress: named[index]! })),
      ));
  }
}
