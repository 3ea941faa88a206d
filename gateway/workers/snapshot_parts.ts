import type {
  HostRoutes,
  IngressRules,
  RouteSnapshot,
  RouteTables,
} from "../../store/route_snapshot.ts";

type Part = HostRoutes | IngressRules;

interface Tables {
  readonly hosts: readonly number[];
  readonly ingresses: readonly number[];
}

/** A snapshot as numbers of its parts, with those parts that the receiver has not got yet. */
export interface SnapshotParts {
  readonly tables: Tables;
  readonly fallback?: Tables;
  readonly fresh: readonly (readonly [number, Part])[];
}

/**
 * Hands snapshots to another isolate. What is the very same object in two snapshots is sent once, so
 * that one changed price among a thousand Ingresses is one Ingress to send, and to compile there.
 */
export class SnapshotSender {
  #numbers = new Map<Part, number>();
  #next = 0;

  partsOf(snapshot: RouteSnapshot): SnapshotParts {
    const numbers = new Map<Part, number>();
    const fresh: [number, Part][] = [];
    const number = (part: Part): number => {
      let known = numbers.get(part) ?? this.#numbers.get(part);
      if (known === undefined) fresh.push([known = this.#next++, part]);
      numbers.set(part, known);
      return known;
    };
    const tablesOf = ({ hosts, ingresses }: RouteTables): Tables => ({
      hosts: hosts.map(number),
      ingresses: ingresses.map(number),
    });
    const tables = tablesOf(snapshot);
    const fallback = snapshot.fallback && tablesOf(snapshot.fallback);
    // Both sides forget what this snapshot does not name.
    this.#numbers = numbers;
    return { tables, fresh, ...(fallback && { fallback }) };
  }
}

/** The other end. */
export class SnapshotReceiver {
  #parts = new Map<number, Part>();

  snapshotOf({ tables, fallback, fresh }: SnapshotParts): RouteSnapshot {
    const received = new Map(fresh);
    const parts = new Map<number, Part>();
    const part = (number: number): Part => {
      const known = received.get(number) ?? this.#parts.get(number)!;
      parts.set(number, known);
      return known;
    };
    const tablesOf = ({ hosts, ingresses }: Tables): RouteTables => ({
      hosts: hosts.map((number) => part(number) as HostRoutes),
      ingresses: ingresses.map((number) => part(number) as IngressRules),
    });
    const all = { ...tablesOf(tables), ...(fallback && { fallback: tablesOf(fallback) }) };
    this.#parts = parts;
    return all;
  }
}
