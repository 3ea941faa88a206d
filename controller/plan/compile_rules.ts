import type { X402Route, X402RouteRule } from "../../crd/x402route.ts";
import type { Access, Condition, Rule } from "../../store/route_snapshot.ts";
import { formatPattern, parsePattern } from "../../store/path_pattern.ts";
import type { ObjectName } from "../cluster_state.ts";
import { type Finding, finding, type FindingKind } from "./finding.ts";
import { type CommonTerms, compilePayment } from "./payment_terms.ts";
import type { PlanOptions } from "./plan_options.ts";
import { patternProblems } from "./header_patterns.ts";
import { parsePrice, type Price } from "./price.ts";

/**
 * Compiles the rules of an X402Route that has passed the schema. `rules` has one entry per entry of
 * `spec.routes` and is absent when a finding is "invalid". All findings at once.
 */
export function compileRules(
  { spec }: X402Route,
  route: ObjectName,
  options: PlanOptions,
): { rules?: readonly Rule[]; findings: readonly Finding[] } {
  const { common, findings } = compilePayment(spec.payment, options);
  const decimals = common?.decimals;
  const defaultPrice = spec.payment.defaultPrice;
  if (defaultPrice !== undefined && decimals !== undefined) {
    // Told once, at its own place, whether or not a rule uses it.
    readPrice(defaultPrice, decimals, ["spec", "payment", "defaultPrice"], findings);
  }
  const rules = spec.routes.map((rule, index) => {
    const at = new RuleFindings(index, findings);
    const pattern = readPattern(rule.path, at);
    if (rule.backend !== undefined && spec.ingressRef.mode !== "Manual") {
      at.add("warning", ["backend"], "has no effect because ingressRef.mode is not Manual");
    }
    const access = rule.free ? freeAccess(rule, at) : paidAccess(rule, defaultPrice, common, at);
    if (pattern === undefined || access === undefined) return undefined;
    return { pattern, ...(rule.methods && { methods: [...rule.methods].sort() }), route, access };
  });
  return findings.some(({ kind }) => kind === "invalid")
    ? { findings }
    : { rules: rules.filter((rule) => rule !== undefined), findings };
}

/** Collects what is found in one rule, under its path. */
class RuleFindings {
  constructor(private readonly index: number, readonly all: Finding[]) {}

  path(...fields: (string | number)[]): (string | number)[] {
    return ["spec", "routes", this.index, ...fields];
  }

  add(kind: FindingKind, fields: (string | number)[], sentence: string): void {
    this.all.push(finding(kind, this.path(...fields), sentence));
  }
}

function readPattern(path: string, at: RuleFindings): string | undefined {
  const parsed = parsePattern(path);
  if ("problem" in parsed) {
    at.add("invalid", ["path"], `is not a path pattern: ${parsed.problem}`);
    return undefined;
  }
  if (parsed.pattern.at(-1) === "*") {
    at.add(
      "warning",
      ["path"],
      `is ${JSON.stringify(path)}: "*" matches exactly one segment; use "/**" for any depth`,
    );
  }
  return formatPattern(parsed.pattern);
}

function freeAccess(rule: X402RouteRule, at: RuleFindings): Access {
  for (const field of ["price", "conditions", "conditionDefault"] as const) {
    if (rule[field] !== undefined) at.add("warning", [field], "has no effect because free is true");
  }
  return { kind: "free" };
}

function paidAccess(
  rule: X402RouteRule,
  defaultPrice: string | undefined,
  common: CommonTerms | undefined,
  at: RuleFindings,
): Access | undefined {
  const text = rule.price ?? defaultPrice;
  if (text === undefined) {
    at.add("invalid", ["price"], "is missing, and there is no spec.payment.defaultPrice");
  }
  const conditions = readConditions(rule, at);
  if (text === undefined || common === undefined) return undefined;
  // The default price's own problem is found at its own place.
  const found = rule.price === undefined ? [] : at.all;
  const price = readPrice(text, common.decimals, at.path("price"), found);
  if (price === undefined) return undefined;
  const terms = {
    ...common.terms,
    ...price,
    description: rule.description ?? "",
    mimeType: rule.mimeType ?? "",
  };
  return { kind: "paid", terms, ...conditions };
}

function readPrice(
  text: string,
  decimals: number,
  path: (string | number)[],
  findings: Finding[],
): Price | undefined {
  const price = parsePrice(text, decimals);
  if (!("refused" in price)) return price;
  findings.push(finding("invalid", path, `is ${JSON.stringify(text)}; ${price.refused}`));
  return undefined;
}

function readConditions(
  rule: X402RouteRule,
  at: RuleFindings,
): { conditions?: readonly Condition[]; conditionDefault?: "pay" | "free" } {
  if (rule.mode !== "conditional") {
    for (const field of ["conditions", "conditionDefault"] as const) {
      if (rule[field] !== undefined) {
        at.add("warning", [field], "has no effect because mode is not conditional");
      }
    }
    return {};
  }
  const conditions = (rule.conditions ?? [])
    .map(({ header, pattern, action }) => ({ header: header.toLowerCase(), pattern, action }));
  for (const { fields, sentence } of patternProblems(conditions.map(({ pattern }) => pattern))) {
    at.add("invalid", fields, sentence);
  }
  // "Bots pay, people do not": whoever no condition names has been left out on purpose.
  const fallback = conditions.every(({ action }) => action === "pay") ? "free" : "pay";
  return { conditions, conditionDefault: rule.conditionDefault ?? fallback };
}
