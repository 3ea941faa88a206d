import type { FindingKind } from "./plan/finding.ts";
import type { PublishedEvent } from "./published_event.ts";
import type { InForce } from "./plan/route_status.ts";

/** What the manifest loop tells its owner; it logs nothing itself. Lines count from 1. */
export type ManifestEvent =
  /** The folder cannot be used as it stands; the last good snapshot stays in force. */
  | ManifestError & { readonly type: "manifest-error" }
  /** Something of an X402Route is wrong, and the rest is in force. */
  | RouteEvent & { readonly type: "route-problem"; readonly kind: FindingKind }
  /** In force as written, but maybe not what was meant. */
  | RouteEvent & { readonly type: "route-warning" }
  | PublishedEvent
  /** A good plan was refused by the gateway: a fault of the program; the old snapshot stays. */
  | { readonly type: "publish-failed"; readonly reason: string };

export interface ManifestError {
  readonly file: string;
  readonly line: number;
  readonly reason: string;
}

interface RouteEvent {
  /** `namespace/name` */
  readonly route: string;
  readonly inForce: InForce;
  readonly file: string;
  readonly line: number;
  readonly message: string;
}
