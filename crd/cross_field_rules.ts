import type { z } from "zod";

/** A rule that spans several fields of one object. */
interface CrossFieldRule {
  /** For the API server: a CEL expression over the object, true when the rule holds. */
  readonly cel: string;
  /** The same for standalone mode. Other fields may be invalid when it runs, so it trusts no type. */
  readonly holds: (object: Record<string, unknown>) => boolean;
  /** One sentence: what is wrong and what is allowed. */
  readonly message: string;
  /** The field of the object to which the problem is attributed. */
  readonly field: string;
}

/**
 * Every rule twice, side by side: the API server evaluates CEL, standalone mode evaluates
 * TypeScript, and a manifest has to be judged alike by both.
 */
export const crossFieldRules = {
  conditionalNeedsConditions: {
    cel: "!has(self.mode) || self.mode != 'conditional' || " +
      "(has(self.conditions) && size(self.conditions) > 0)",
    holds: ({ mode, conditions }) =>
      mode !== "conditional" || (Array.isArray(conditions) && conditions.length > 0),
    message: "mode conditional needs at least one entry in conditions",
    field: "conditions",
  },
  assetDomainIsWhole: {
    cel: "has(self.name) == has(self.version) && has(self.version) == has(self.decimals)",
    holds: (asset) =>
      "name" in asset === "version" in asset && "version" in asset === "decimals" in asset,
    message: "name, version and decimals must be given together, or none of them for a token " +
      "that is known on its network",
    field: "name",
  },
  portIsNumberOrName: {
    cel: "has(self.number) != has(self.name)",
    holds: (port) => "number" in port !== "name" in port,
    message: "a port has either a number or a name",
    field: "number",
  },
  manualNeedsBackends: {
    cel: "!has(self.ingressRef.mode) || self.ingressRef.mode != 'Manual' || " +
      "self.routes.all(rule, has(rule.backend))",
    holds: ({ ingressRef, routes }) =>
      (ingressRef as { mode?: unknown } | undefined)?.mode !== "Manual" || !Array.isArray(routes) ||
      routes.every((rule) => typeof rule?.backend === "object"),
    message: "with ingressRef.mode Manual every rule needs a backend",
    field: "routes",
  },
} as const satisfies Record<string, CrossFieldRule>;

/** The schema with the rule in it, both for parsing and (as metadata) for the generated CRD. */
export function withRule<Schema extends z.ZodObject>(
  schema: Schema,
  { cel, holds, message, field }: CrossFieldRule,
): Schema {
  return schema
    .refine((value) => holds(value), {
      message,
      path: [field],
      // Zod skips refinements of an object with an invalid field; all problems are to be told at once.
      when: ({ value }) => typeof value === "object" && value !== null,
    })
    .meta({
      ...schema.meta(),
      "x-kubernetes-validations": [{ rule: cel, message, fieldPath: `.${field}` }],
    });
}
