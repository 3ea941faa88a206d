/** The routes that are fuzzed, as the oracle knows them; it shares no code with the gateway. */
import type { Access, PaymentTerms, RouteSnapshot } from "../../store/route_snapshot.ts";

export interface FuzzCondition {
  /** Lower case. */
  readonly header: string;
  /** Means the same to RE2 and to JavaScript. */
  readonly pattern: string;
  readonly action: "pay" | "free";
}

export interface FuzzRule {
  readonly pattern: string;
  readonly access: "free" | "paid" | "blocked";
  readonly methods?: readonly string[];
  readonly conditions?: readonly FuzzCondition[];
  readonly otherwise?: "pay" | "free";
}

export interface FuzzPath {
  readonly path: string;
  readonly exact?: true;
  readonly rules: readonly FuzzRule[];
}

const paid = (pattern: string, methods?: string[]): FuzzRule => ({
  pattern,
  access: "paid",
  ...(methods && { methods }),
});
const free = (pattern: string): FuzzRule => ({ pattern, access: "free" });

const anyHost: readonly FuzzRule[] = [
  free("/api/free/**"),
  { pattern: "/api/status", access: "free", methods: ["GET"] },
  paid("/api/exact"),
  paid("/api/status"),
  paid("/api/*/one"),
  paid("/api/deep/**"),
  paid("/forms/*", ["POST", "DELETE"]),
  paid("/lists/*", ["GET"]),
  {
    pattern: "/news/**",
    access: "paid",
    conditions: [
      { header: "x-plan", pattern: "^gold$", action: "free" },
      { header: "user-agent", pattern: "(bot|crawler)", action: "pay" },
    ],
    otherwise: "free",
  },
  {
    pattern: "/papers/**",
    access: "paid",
    conditions: [
      { header: "x-forwarded-for", pattern: "^10\\.", action: "free" },
      { header: "x-real-ip", pattern: "^10\\.", action: "free" },
      { header: "x-plan", pattern: "^gold$", action: "free" },
    ],
    otherwise: "pay",
  },
  free("/vault/public"),
  paid("/vault/**"),
  { pattern: "/broken/**", access: "blocked" },
  paid("/caf%C3%A9/**"),
  paid("/a:b/@c"),
  paid("/**/secret"),
  paid("/files/**/raw"),
];

/** What each host serves; `""` is any other host. */
export const fuzzHosts: Readonly<Record<string, readonly FuzzPath[]>> = {
  "": [{ path: "/", rules: anyHost }],
  "*.wild.test": [{ path: "/", rules: [free("/public/**"), paid("/**")] }],
  "named.test": [
    { path: "/app", rules: [paid("/app/pay/**")] },
    { path: "/app/exact", exact: true, rules: [paid("/**")] },
  ],
  "open.test": [{ path: "/", rules: [] }],
  "priced.test": [{ path: "/", rules: [free("/health"), paid("/**")] }],
  "two.test": [
    { path: "/", rules: [] },
    { path: "/shop", rules: [paid("/shop/buy/**")] },
  ],
};

/** The same for the gateway, with one backend for everything. */
export function fuzzSnapshot(backendUrl: string, terms: PaymentTerms): RouteSnapshot {
  const backend = { url: backendUrl };
  const route = { namespace: "fuzz", name: "prices" };
  const hosts = Object.entries(fuzzHosts);
  const paths = hosts.flatMap(([, entries]) => entries);
  return {
    ingresses: paths.map(({ rules }, index) => ({
      namespace: "fuzz",
      name: `ingress-${index}`,
      tlsHosts: [],
      rules: rules.map(({ pattern, methods, ...rule }) => ({
        pattern,
        route,
        access: accessOf(rule, terms),
        ...(methods && { methods }),
      })),
    })),
    hosts: hosts.map(([host, entries]) => ({
      host,
      paths: entries.map((entry) => ({
        path: entry.path,
        pathType: entry.exact ? "Exact" : "Prefix",
        ingress: paths.indexOf(entry),
        backend,
      })),
    })),
  };
}

function accessOf(rule: Omit<FuzzRule, "pattern">, terms: PaymentTerms): Access {
  if (rule.access === "free") return { kind: "free" };
  if (rule.access === "blocked") return { kind: "blocked", reason: "of the fuzzer" };
  const { conditions, otherwise } = rule;
  return {
    kind: "paid",
    terms,
    ...(conditions && { conditions, conditionDefault: otherwise ?? "pay" }),
  };
}
