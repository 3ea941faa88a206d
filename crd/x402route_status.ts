import { z } from "zod";

const condition = z.object({
  type: z.string().min(1).max(316).describe("What the condition is about: `Accepted`."),
  status: z.enum(["True", "False", "Unknown"]).describe("Whether it holds."),
  reason: z.string().min(1).max(1024).describe("One CamelCase word for programs: why."),
  message: z.string().max(32768).describe("The same for people, with what to do."),
  lastTransitionTime: z.string().meta({ format: "date-time" }).describe(
    "When `status` last changed.",
  ),
  observedGeneration: z.int().min(0).meta({ format: "int64" }).exactOptional().describe(
    "The `metadata.generation` that the condition is about.",
  ),
}).describe("One observation about the X402Route.");

/** What the operator writes under `status`. It is output only: parsing an X402Route ignores it. */
export const x402RouteStatus = z.object({
  observedGeneration: z.int().min(0).meta({ format: "int64" }).exactOptional().describe(
    "The `metadata.generation` that this status is about.",
  ),
  ready: z.boolean().exactOptional().describe("Whether the rules are in force as written."),
  ingressPatched: z.boolean().exactOptional().describe(
    "Whether the paid paths of the Ingress point at the gateway.",
  ),
  activeRoutes: z.int().min(0).meta({ format: "int64" }).exactOptional().describe(
    "Number of rules in force.",
  ),
  conditions: z.array(condition).max(16).exactOptional().describe(
    "What is right or wrong with the X402Route, one entry per type.",
  ).meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"] }),
}).describe("What the operator made of the X402Route.");

export type X402RouteStatus = z.output<typeof x402RouteStatus>;
