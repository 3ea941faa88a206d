/**
 * The compiled routes: what `plan()` returns and the gateway serves. Plain frozen data, so that it
 * can be printed in a golden test, compared, and handed to another isolate by structured clone.
 * The gateway builds its lookup tables from it once per snapshot (`gateway/routing/route_index.ts`).
 */
export interface RouteSnapshot extends RouteTables {
  /**
   * Tried where the routes themselves have no path for a request: what was served a moment ago and
   * is gone, because proxies in front need seconds to notice, and what must not stand in the way of
   * anybody else's routes.
   */
  readonly fallback?: RouteTables;
}

export interface RouteTables {
  /** Sorted by host. A host occurs once; `""` is the entry for rules without a host. */
  readonly hosts: readonly HostRoutes[];
  /** One entry per Ingress, sorted by namespace and name; `IngressPath.ingress` is an index into it. */
  readonly ingresses: readonly IngressRules[];
}

/** All Ingress paths of one host, across Ingresses. */
export interface HostRoutes {
  /** Lower case: `api.example.com`, `*.example.com` (one label), or `""` for any host not named. */
  readonly host: string;
  readonly paths: readonly IngressPath[];
}

/** One path of one Ingress; within a host, a (path, pathType) pair occurs once. */
export interface IngressPath {
  readonly path: string;
  /** `ImplementationSpecific` has become `Prefix` here; a default backend is the Prefix `/`. */
  readonly pathType: "Exact" | "Prefix";
  /**
   * Of a `Prefix`: it also has the paths that go on in the middle of a segment, `/foobar` for `/foo`.
   * So Ingress controllers read `ImplementationSpecific`, and their requests have to find home.
   */
  readonly byText?: true;
  /** Index into `RouteSnapshot.ingresses`: whose rules price this path. */
  readonly ingress: number;
  readonly backend: Backend;
}

/** Where requests of an Ingress path go, or why they cannot go anywhere (answered with 503). */
export type Backend =
  /** Scheme, host and port without a trailing slash: `http://api.default.svc.cluster.local:80`. */
  | { readonly url: string }
  | { readonly unresolved: string };

/** The merged rules of every X402Route that names this Ingress, in matching order: first match wins. */
export interface IngressRules {
  readonly namespace: string;
  readonly name: string;
  /** Hosts (possibly wildcards) that the Ingress serves over TLS: their public URLs are https. */
  readonly tlsHosts: readonly string[];
  readonly rules: readonly Rule[];
}

/** One priced, free or blocked path pattern. */
export interface Rule {
  /** `*` is exactly one segment, `**` zero or more (`store/path_pattern.ts`). */
  readonly pattern: string;
  /** Upper case; absent means every method. `GET` covers HEAD. */
  readonly methods?: readonly string[];
  /** The X402Route that the rule comes from. */
  readonly route: { readonly namespace: string; readonly name: string };
  /** Takes the place of the Ingress path's backend, where that names the gateway itself. */
  readonly backend?: Backend;
  readonly access: Access;
}

export type Access =
  | { readonly kind: "free" }
  | {
    readonly kind: "paid";
    readonly terms: PaymentTerms;
    /** Tried in order; the first whose header is present and matches decides. */
    readonly conditions?: readonly Condition[];
    /** Decides when no condition matched. Always present together with `conditions`. */
    readonly conditionDefault?: "pay" | "free";
  }
  /** The rule is invalid and no valid form of it is known: answered with 503, never free. */
  | { readonly kind: "blocked"; readonly reason: string };

export interface Condition {
  /** Lower case header name. */
  readonly header: string;
  /** RE2 syntax, unanchored. */
  readonly pattern: string;
  readonly action: "pay" | "free";
}

/** What a buyer has to pay, and where it is verified and settled. */
export interface PaymentTerms {
  readonly scheme: "exact";
  /** CAIP-2: `eip155:84532`. */
  readonly network: string;
  /** Name in protocol version 1 (`base-sepolia`); absent where version 1 cannot pay here. */
  readonly networkV1?: string;
  /** Token contract, EIP-55 checksummed. */
  readonly asset: string;
  /** `extra` of the payment requirements: EIP-712 domain, and the transfer method if not EIP-3009. */
  readonly extra: {
    readonly name?: string;
    readonly version?: string;
    readonly assetTransferMethod?: "permit2";
  };
  /** What the facilitator wants buyers to know, besides our `extra`. */
  readonly facilitatorExtra?: FacilitatorExtra;
  /** Atomic units of the asset, a positive decimal integer: `1000`. */
  readonly amount: string;
  /** The same in whole tokens, for people: `0.001`. */
  readonly price: string;
  /** Recipient, EIP-55 checksummed. */
  readonly payTo: string;
  readonly maxTimeoutSeconds: number;
  /** Without a trailing slash. */
  readonly facilitatorUrl: string;
  readonly settle: "after-response" | "before-request";
  /** Shown to buyers; may be empty. */
  readonly description: string;
  readonly mimeType: string;
}

/**
 * Part of the `extra` of version 2 offers, under keys that `PaymentTerms.extra` never has. Buyers need
 * not send it back: it changes whenever the facilitator likes, and a payment that was offered a
 * moment before is as good as any.
 */
export type FacilitatorExtra = Readonly<Record<string, string | number | boolean>>;
