import { type Ingress, type IngressBackend, keyOf, type Service } from "../cluster_state.ts";
import { type BackendSlot, backendSlots, withBackends } from "./backend_slots.ts";
import { gatewayServiceName, isOurs } from "./gateway_backend.ts";
import { LastResults } from "../../store/last_results.ts";
import { namedServices } from "./named_services.ts";
import { commonBackend, renamedSlots } from "./renamed_slots.ts";
import { originalBackendsAnnotation, parseOriginals } from "./original_backends.ts";
import type { GatewayAddress } from "./plan_options.ts";

/** An Ingress as its author means it, told apart from what the operator has made of it. */
export interface OriginalIngress {
  /** As it is in the cluster. */
  readonly live: Ingress;
  /** With the original backends; a backend that is not known is `{}`. */
  readonly author: Ingress;
  /** Keys of the slots that lead to the gateway now. */
  readonly throughGateway: ReadonlySet<string>;
  /** Original backends by slot key, of every slot where it is known. */
  readonly backends: Records;
  /** What is recorded of no slot that is there: of use while the original of another is not known. */
  readonly lost: Records;
}

type Records = ReadonlyMap<string, IngressBackend>;

/**
 * Finds out what an Ingress was before it was patched. `remembered` are the `backends` of the plan
 * before, `services` are by `namespace/name`.
 *
 *     backend of the slot now     | its original is
 *     not the gateway             | that backend: what its author wrote last
 *     the gateway                 | what the annotation says of the slot; else
 *                                 | what is remembered of the slot; else
 *                                 | that of the slots that it was renamed from (`renamedSlots`);
 *                                 | else not known
 *
 * The gateway itself is never an original: requests would go round in circles. It is known by the
 * names of its Service (now, and when the annotation was written) and by the label of that. A Service
 * of that name that somebody else has made is a backend like any other of an unpatched Ingress.
 */
export function originalIngress(
  live: Ingress,
  gateway: GatewayAddress | undefined,
  services: ReadonlyMap<string, Service>,
  remembered: Records,
): OriginalIngress {
  const inputs = [gateway, remembered, ...namedServices(live, services)];
  return known.get(live, inputs, () => findOriginals(live, gateway, services, remembered));
}

const known = new LastResults<Ingress, OriginalIngress>();

function findOriginals(
  live: Ingress,
  gateway: GatewayAddress | undefined,
  services: ReadonlyMap<string, Service>,
  remembered: Records,
): OriginalIngress {
  const slots = backendSlots(live);
  const recorded = parseOriginals(live.metadata.annotations?.[originalBackendsAnnotation] ?? "");
  const { namespace } = live.metadata;
  const isGateway = ({ service: reference }: IngressBackend) => {
    if (gateway === undefined || reference === undefined) return false;
    const { name } = reference;
    const service = services.get(keyOf({ namespace, name }));
    if (service !== undefined && isOurs(service)) return true;
    // Who has never been patched may well have a backend of that name.
    const isForeign = service !== undefined && recorded === undefined &&
      namespace !== gateway.own.namespace;
    return !isForeign &&
      (name === gatewayServiceName(gateway, namespace) || name === recorded?.gateway);
  };
  const records = recorded?.backends ?? remembered;
  const doubtful = doubtfulKeys(slots, records);
  const present = new Set(slots.map(({ key }) => key).filter((key) => !doubtful.has(key)));
  const gone = new Map(
    [...records].filter(([key, backend]) => !present.has(key) && !isGateway(backend)),
  );
  const throughGateway = new Set<string>();
  const backends = new Map<string, IngressBackend>();
  const added: BackendSlot[] = [];
  for (const slot of slots) {
    const { key, backend } = slot;
    if (!isGateway(backend)) {
      backends.set(key, backend);
      continue;
    }
    throughGateway.add(key);
    const record = doubtful.has(key)
      ? undefined
      : [recorded?.backends.get(key), remembered.get(key)].find((each) => each && !isGateway(each));
    if (record === undefined) added.push(slot);
    else backends.set(key, record);
  }
  const { found, lost } = renamedSlots(added, gone);
  for (const [key, backend] of found) backends.set(key, backend);
  const replaced = new Map(
    [...throughGateway].map((key) => [key, backends.get(key) ?? {}]),
  );
  return { live, author: withBackends(live, replaced), throughGateway, backends, lost };
}

/**
 * Keys of equal paths of which some have come or gone: which of them has which number now is not
 * known, and matters where their backends differ.
 */
function doubtfulKeys(slots: readonly BackendSlot[], records: Records): ReadonlySet<string> {
  const doubtful = new Set<string>();
  if (![...records.keys()].some((key) => unnumbered(key) !== key)) return doubtful;
  const present = Map.groupBy(slots.map(({ key }) => key), unnumbered);
  for (const [name, keys] of Map.groupBy(records.keys(), unnumbered)) {
    const now = present.get(name) ?? [];
    if (now.length === keys.length || commonBackend(keys, records) !== undefined) continue;
    for (const key of [...keys, ...now]) doubtful.add(key);
  }
  return doubtful;
}

function unnumbered(key: string): string {
  return key.replace(/^([^ ]* [^ #]*)#[0-9]+ /, "$1 ");
}
