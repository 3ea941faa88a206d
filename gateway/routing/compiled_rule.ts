import { RE2JS } from "re2js";
import type { Metrics, PaymentStatus } from "../../store/metrics.ts";
import type { RouteTally, Tally } from "../../store/route_counter.ts";
import type { Backend, PaymentTerms, Rule } from "../../store/route_snapshot.ts";
import { Challenge } from "../payment/challenge.ts";

/** A rule with all that a request needs made ready: prepared 402, compiled patterns, counters. */
export class CompiledRule {
  readonly pattern: string;
  readonly methods?: readonly string[];
  readonly route: Rule["route"];
  /** Where requests of this rule go; undefined: where the Ingress path says. */
  readonly backend: Backend | undefined;
  readonly #requests: RouteTally;

  constructor(rule: Rule, readonly access: CompiledAccess, metrics: Metrics) {
    this.pattern = rule.pattern;
    if (rule.methods !== undefined) this.methods = rule.methods;
    this.route = rule.route;
    this.backend = rule.backend;
    this.#requests = metrics.requests(rule.pattern, rule.route.namespace, rule.route.name);
  }

  /** Raises `x402_requests_total` of this rule. */
  count(status: PaymentStatus): void {
    this.#requests.add(status);
  }

  /** What is counted of this rule. */
  get tallies(): Tally[] {
    if (this.access.kind !== "paid") return [this.#requests];
    const { amounts, settlements, facilitator } = this.access;
    return [this.#requests, amounts, settlements, facilitator];
  }
}

export type CompiledAccess =
  | { readonly kind: "free" }
  | { readonly kind: "blocked"; readonly reason: string }
  | PaidAccess;

export interface PaidAccess {
  readonly kind: "paid";
  readonly terms: PaymentTerms;
  readonly challenge: Challenge;
  readonly conditions: readonly CompiledCondition[];
  /** Decides when no condition matched; "pay" where there are no conditions. */
  readonly otherwise: "pay" | "free";
  readonly amounts: RouteTally;
  /** Of its network. */
  readonly settlements: RouteTally;
  /** What is counted of its facilitator. */
  readonly facilitator: Tally;
  /** Whole tokens as a float, for the metric only. */
  readonly price: number;
}

export interface CompiledCondition {
  readonly header: string;
  readonly pattern: RE2JS;
  readonly action: "pay" | "free";
}

/**
 * Compiles rules. In one snapshot, equal terms share one challenge and equal patterns one program:
 * 100,000 rules at one price cost one 402.
 */
export class RuleCompiler {
  #challenges = new Map<string, Challenge>();
  #patterns = new Map<string, RE2JS>();

  constructor(private readonly metrics: Metrics) {}

  /** Begins a snapshot; what only rules of earlier ones needed is not kept for ever. */
  begin(): void {
    this.#challenges = new Map();
    this.#patterns = new Map();
  }

  compile(rule: Rule): CompiledRule {
    return new CompiledRule(rule, this.#access(rule), this.metrics);
  }

  #access(rule: Rule): CompiledAccess {
    const { access, pattern } = rule;
    if (access.kind !== "paid") return access;
    const { terms, conditions = [], conditionDefault = "pay" } = access;
    return {
      kind: "paid",
      terms,
      challenge: memoize(
        this.#challenges,
        JSON.stringify(terms),
        () => new Challenge(terms),
      ),
      conditions: conditions.map(({ header, action, pattern }) => ({
        header,
        action,
        pattern: memoize(this.#patterns, pattern, () => RE2JS.compile(pattern)),
      })),
      otherwise: conditionDefault,
      amounts: this.metrics.amounts(pattern, terms.payTo),
      settlements: this.metrics.settlements(terms.networkV1 ?? terms.network),
      facilitator: this.metrics.facilitators.of(terms.facilitatorUrl),
      price: Number(terms.price),
    };
  }
}

function memoize<V>(cache: Map<string, V>, key: string, make: () => V): V {
  let value = cache.get(key);
  if (value === undefined) cache.set(key, value = make());
  return value;
}
