/** What the manifest loop tells its owner; it logs nothing itself. Lines count from 1. */
export type ManifestEvent =
  /** The folder cannot be used as it stands; the last good snapshot stays in force. */
  | ManifestError & { readonly type: "manifest-error" }
  /** Something of an X402Route is wrong and the rest is in force; `route` is `namespace/name`. */
  | RouteEvent & { readonly type: "route-invalid" }
  /** In force as written, but maybe not what was meant. */
  | RouteEvent & { readonly type: "route-warning" }
  | {
    readonly type: "snapshot-published";
    readonly ingresses: number;
    /** X402Routes. */
    readonly routes: number;
    readonly rules: number;
    /** Milliseconds from noticing the change to the new snapshot being in force. */
    readonly ms: number;
  }
  /** A good plan was refused by the gateway: a fault of the program; the old snapshot stays. */
  | { readonly type: "publish-failed"; readonly reason: string };

export interface ManifestError {
  readonly file: string;
  readonly line: number;
  readonly reason: string;
}

interface RouteEvent {
  readonly route: string;
  readonly file: string;
  readonly line: number;
  readonly message: string;
}
