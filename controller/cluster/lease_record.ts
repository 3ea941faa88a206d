import type { KubeObject } from "./watch_stream.ts";

/** The spec of a Lease (coordination.k8s.io/v1) as a leader election uses it. */
export interface LeaseSpec {
  /** Empty when the Lease has been released. */
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}

export type Lease = KubeObject & { readonly spec?: LeaseSpec };

/** The spec with which `identity` takes over from whoever held the Lease before, or goes on. */
export function heldBy(identity: string, leaseMs: number, before: LeaseSpec = {}): LeaseSpec {
  const now = microTime();
  const goesOn = before.holderIdentity === identity;
  const transitions = before.leaseTransitions ?? 0;
  return {
    ...before,
    holderIdentity: identity,
    leaseDurationSeconds: Math.ceil(leaseMs / 1000),
    acquireTime: goesOn ? before.acquireTime ?? now : now,
    renewTime: now,
    leaseTransitions: goesOn || before.renewTime === undefined ? transitions : transitions + 1,
  };
}

/** The spec with which its holder gives it back: free for anyone, at once. */
export function released(before: LeaseSpec = {}): LeaseSpec {
  // Of a second: for readers that look at nothing but the times.
  return { ...before, holderIdentity: "", leaseDurationSeconds: 1, renewTime: microTime() };
}

/** A MicroTime (meta/v1), for people to read: no decision is made by the clock of another. */
function microTime(): string {
  return new Date().toISOString().replace("Z", "000Z");
}
