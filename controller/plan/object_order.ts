import { type ObjectName, type RawObject } from "../cluster_state.ts";
import { LastResults } from "../../store/last_results.ts";

/** By namespace, then name, in code unit order: the same on every machine. */
export function byName(a: ObjectName, b: ObjectName): number {
  return compare(a.namespace, b.namespace) || compare(a.name, b.name);
}

/**
 * Older first, then by name: who wins a conflict. An object without a creation time (a file has
 * none) counts as younger than every object with one.
 */
export function byAge(a: RawObject["metadata"], b: RawObject["metadata"]): number {
  return compare(createdAt(a), createdAt(b)) || byName(a, b);
}

/** Milliseconds since 1970. */
function createdAt(metadata: RawObject["metadata"]): number {
  return times.get(metadata, [], () => {
    const { creationTimestamp } = metadata;
    const time = typeof creationTimestamp === "string" ? Date.parse(creationTimestamp) : NaN;
    return Number.isNaN(time) ? Infinity : time;
  });
}

const times = new LastResults<RawObject["metadata"], number>();

/** By code units, or by value. */
export function compare<T extends string | number>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
