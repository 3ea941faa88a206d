import type { IngressBackend } from "../cluster_state.ts";
import { type BackendSlot, defaultSlotKey, slotParts } from "./backend_slots.ts";

type Records = ReadonlyMap<string, IngressBackend>;

/** By what a slot may be told to be a renamed one, from what its author changes least. */
const resemblances: readonly ((host: string, type: string, path: string) => string)[] = [
  (host, _, path) => `${host} ${path}`,
  (_, type, path) => `${type} ${path}`,
  (host) => host,
  () => "",
];

/** What `renamedSlots` has found. */
export interface RenamedSlots {
  /** Backends by slot key. */
  readonly found: Records;
  /** Records that are of no slot. */
  readonly lost: Records;
}

/**
 * An author who edits a patched Ingress in place changes a path, type or host and leaves the gateway
 * where it stands; one who copies an entry leaves it there twice. `added` are the slots of which
 * nothing is recorded, `lost` the records whose slots are gone. Those that resemble each other most
 * decide, and only if there is one way to read it: at least as many are gone as have come, and all of
 * them had the same backend.
 */
export function renamedSlots(added: readonly BackendSlot[], lost: Records): RenamedSlots {
  const found = new Map<string, IngressBackend>();
  const left = new Map(lost);
  const unused = new Map(lost);
  let slots = added.filter(({ rule }) => rule !== undefined);
  for (const resemblance of resemblances) {
    if (slots.length === 0 || left.size === 0) break;
    const candidates = Map.groupBy(left.keys(), (key) => resemblance(...partsOf(key)));
    const come = Map.groupBy(slots, ({ key }) => resemblance(...partsOf(key)));
    slots = [...come].flatMap(([name, alike]) => candidates.has(name) ? [] : alike);
    for (const [name, alike] of come) {
      const gone = candidates.get(name) ?? [];
      const backend = alike.length > gone.length ? undefined : commonBackend(gone, left);
      for (const key of gone) left.delete(key);
      if (backend === undefined) continue;
      for (const { key } of alike) found.set(key, backend);
      for (const key of gone) unused.delete(key);
    }
  }
  return { found, lost: unused };
}

function partsOf(key: string): [host: string, type: string, path: string] {
  if (key === defaultSlotKey) return ["", "", ""];
  const { host, typeAndCount, path } = slotParts(key);
  return [host, typeAndCount.split("#")[0]!, path];
}

/** The backend of all these keys, if it is one and the same. */
export function commonBackend(keys: readonly string[], of: Records): IngressBackend | undefined {
  const backends = new Map(keys.map((key) => [JSON.stringify(of.get(key)), of.get(key)]));
  return backends.size === 1 ? [...backends.values()][0] : undefined;
}
