import { z } from "zod";
import { crossFieldRules, withRule } from "./cross_field_rules.ts";
import { describeIssue } from "./describe_issue.ts";

// The limits on lengths are generous; the API server needs them to bound the cost of CEL rules.

const price = z.string().max(80).regex(
  /^\$?[0-9]+(\.[0-9]+)?$/,
  'a price is a positive decimal number in the token\'s unit, such as "0.001" or "$0.001" ' +
    '(the smallest possible one is "0.000001" with the 6 decimals of USDC)',
);

const asset = withRule(
  z.strictObject({
    address: z.string().regex(
      /^0x[0-9a-fA-F]{40}$/,
      "a token address is 0x and 40 hexadecimal digits",
    ).describe("Address of the token's contract."),
    name: z.string().min(1).max(64).exactOptional().describe(
      "Name in the token's EIP-712 domain, as its contract states it: `USD Coin`.",
    ),
    version: z.string().min(1).max(16).exactOptional().describe(
      "Version in the token's EIP-712 domain: `2`.",
    ),
    decimals: z.int().min(0).max(36).exactOptional().describe(
      "Decimals of the token: one unit is 10^decimals atomic units.",
    ),
  }).describe(
    "The token to pay with, instead of the network's default stablecoin. `name`, `version` and " +
      "`decimals` are needed for tokens that are not known on the network.",
  ),
  crossFieldRules.assetDomainIsWhole,
);

const payment = z.strictObject({
  wallet: z.string().max(128).regex(/^0x/, "a wallet is an address that starts with 0x").describe(
    "Address that receives the payments: 0x and 40 hexadecimal digits. The EIP-55 checksum is " +
      "checked where upper and lower case are mixed.",
  ),
  network: z.string().min(1).max(64).describe(
    "Network to be paid on: a name such as `base` or `base-sepolia`, or a CAIP-2 id such as " +
      "`eip155:8453`.",
  ),
  defaultPrice: price.exactOptional().describe(
    "Price of one request to a paid path without a price of its own, as a decimal string in the " +
      'token\'s unit: "0.001" or "$0.001".',
  ),
  facilitatorURL: z.string().max(2048).regex(
    /^https?:\/\//,
    "a facilitator URL starts with https:// (or http:// for a Service in the cluster)",
  ).default("https://x402.org/facilitator").describe(
    "Facilitator that verifies and settles the payments: https, or http for a Service in the " +
      "cluster.",
  ),
  settle: z.enum(["after-response", "before-request"]).default("after-response").describe(
    "When the payment is settled: once the backend has answered with success (a failing backend " +
      "is not charged for), or before it is called.",
  ),
  maxTimeoutSeconds: z.int().min(10).max(3600).default(60).describe(
    "Seconds that a signed payment is valid for. Facilitators refuse one with less than 6 left.",
  ),
  asset: asset.exactOptional(),
}).describe("Who is paid, how much and in which token.");

const condition = z.strictObject({
  header: z.string().max(256).regex(
    /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/,
    "a header name consists of letters, digits and !#$%&'*+-.^_`|~",
  ).describe("Name of the request header to look at; case does not matter."),
  pattern: z.string().min(1).max(1024).describe(
    "Regular expression in RE2 syntax that is searched for in the header's value; `^` and `$` " +
      "anchor it, `(?i)` ignores case.",
  ),
  action: z.enum(["pay", "free"]).describe("What a request that matches has to do."),
}).describe("One condition on a request header.");

const backend = z.strictObject({
  service: z.strictObject({
    name: z.string().min(1).max(63).describe("Name of a Service in the Ingress's namespace."),
    port: withRule(
      z.strictObject({
        number: z.int().min(1).max(65535).exactOptional().describe("Number of the Service's port."),
        name: z.string().min(1).max(63).exactOptional().describe("Name of the Service's port."),
      }).describe("Port of the Service, by number or by name."),
      crossFieldRules.portIsNumberOrName,
    ),
  }).describe("Service that serves the path."),
}).describe(
  "For `ingressRef.mode: Manual`: where requests go that are free or paid for. The Ingress itself " +
    "names the gateway there.",
);

const rule = withRule(
  z.strictObject({
    path: z.string().max(1024).regex(/^\//, 'a path pattern starts with "/"').describe(
      "Path pattern: `*` is exactly one segment, `**` is zero or more.",
    ),
    methods: z.array(z.enum(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])).min(1).max(6)
      .exactOptional().describe(
        "Methods that the rule is for; all of them when absent. GET covers HEAD.",
      ),
    price: price.exactOptional().describe(
      'Price of one request, instead of `payment.defaultPrice`: "0.01" or "$0.01".',
    ),
    free: z.boolean().default(false).describe("Whether the path is free of charge."),
    mode: z.enum(["all-pay", "conditional"]).default("all-pay").describe(
      "Whether every request pays, or `conditions` decide.",
    ),
    conditions: z.array(condition).max(64).exactOptional().describe(
      "For mode `conditional`: tried in order, the first whose header is present and matches " +
        "decides.",
    ),
    conditionDefault: z.enum(["pay", "free"]).exactOptional().describe(
      "For mode `conditional`: decides when no condition matched. When absent it is `free` if " +
        "every condition says `pay`, else `pay`.",
    ),
    description: z.string().max(512).exactOptional().describe(
      "What the buyer gets, shown in the payment terms.",
    ),
    mimeType: z.string().max(128).exactOptional().describe(
      "Media type of the response, shown in the payment terms: `application/json`.",
    ),
    backend: backend.exactOptional(),
  }).describe("One rule: which paths and methods, and what they cost."),
  crossFieldRules.conditionalNeedsConditions,
);

/** What a user writes under `spec`. The CRD's schema and the field reference are made from it. */
export const x402RouteSpec = withRule(
  z.strictObject({
    ingressRef: z.strictObject({
      name: z.string().min(1).max(253).describe("Name of the Ingress."),
      namespace: z.string().min(1).max(63).exactOptional().describe(
        "Namespace of the Ingress; that of the X402Route when absent.",
      ),
      mode: z.enum(["Patch", "Manual"]).default("Patch").describe(
        "`Patch`: the operator points the paid paths of the Ingress at the gateway. `Manual`: the " +
          "Ingress is left alone; it names the gateway's Service itself, and every rule has a " +
          "`backend`.",
      ),
    }).describe("The existing Ingress whose paths are charged for."),
    payment,
    routes: z.array(rule).min(1).max(1000).describe(
      "The rules, in order: the first one that matches a request decides. A path that no rule " +
        "matches goes to its backend without payment.",
    ),
  }).describe("Which paths of an Ingress cost what, and who is paid."),
  crossFieldRules.manualNeedsBackends,
);

const metadata = z.looseObject({
  name: z.string().min(1),
  namespace: z.string().min(1).exactOptional(),
  uid: z.string().exactOptional(),
  resourceVersion: z.string().exactOptional(),
  generation: z.int().exactOptional(),
  // Manifests written by Go programs have `creationTimestamp: null`.
  creationTimestamp: z.string().nullable().exactOptional(),
  deletionTimestamp: z.string().exactOptional(),
  finalizers: z.array(z.string()).exactOptional(),
  labels: z.record(z.string(), z.string()).exactOptional(),
  annotations: z.record(z.string(), z.string()).exactOptional(),
});

const x402Route = z.object({
  apiVersion: z.literal("x402.io/v1alpha1"),
  kind: z.literal("X402Route"),
  metadata,
  spec: x402RouteSpec,
});

/** An X402Route with the defaults filled in and without its status. */
export type X402Route = z.output<typeof x402Route>;
export type X402RouteSpec = X402Route["spec"];
export type PaymentSpec = X402RouteSpec["payment"];
export type AssetSpec = NonNullable<PaymentSpec["asset"]>;
export type X402RouteRule = X402RouteSpec["routes"][number];
export type X402RouteCondition = NonNullable<X402RouteRule["conditions"]>[number];

/** One thing that is wrong in an X402Route. */
export interface Problem {
  /** From the root of the object to the field: `["spec", "routes", 2, "price"]`. */
  readonly path: readonly (string | number)[];
  /** One sentence: what was found, where, and what is allowed. */
  readonly message: string;
}

export type ParsedX402Route =
  | { readonly ok: true; readonly route: X402Route }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Reads an X402Route from parsed YAML or JSON. Reports all problems at once; never throws. What
 * needs knowledge beyond the object (known networks, checksums, conflicts) is up to the planner.
 */
export function parseX402Route(raw: unknown): ParsedX402Route {
  const parsed = x402Route.safeParse(raw);
  if (parsed.success) return { ok: true, route: parsed.data };
  return {
    ok: false,
    problems: parsed.error.issues.flatMap((issue) => describeIssue(issue, raw, x402Route)),
  };
}
