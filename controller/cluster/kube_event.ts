import type { RawObject } from "../cluster_state.ts";
import { kinds } from "./kube_paths.ts";

/** Something that a person who describes the object would want to know. */
export interface Happening {
  readonly about: keyof typeof kinds;
  readonly metadata: RawObject["metadata"];
  readonly type: "Normal" | "Warning";
  /** One word. */
  readonly reason: string;
  readonly note: string;
}

/** The API server's limit on notes. */
const maxNote = 1024;

/** An Event (events.k8s.io/v1); `reporter` names this replica, `id` is unique. */
export function kubeEvent(
  { about, metadata, type, reason, note }: Happening,
  reporter: string,
  id: string,
  now: Date,
): Record<string, unknown> {
  const { namespace, name, uid, resourceVersion } = metadata;
  return {
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    metadata: { namespace, name: `${name.slice(0, 200)}.${id}` },
    // MicroTime has six digits after the point.
    eventTime: now.toISOString().replace("Z", "000Z"),
    reportingController: "x402.io/x402-k8s-operator",
    reportingInstance: reporter.slice(0, 128),
    action: "Reconcile",
    type,
    reason,
    note: note.length > maxNote ? `${note.slice(0, maxNote - 3)}...` : note,
    regarding: { ...kinds[about], namespace, name, uid, resourceVersion },
  };
}
