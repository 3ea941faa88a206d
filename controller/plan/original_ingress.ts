import { type Ingress, type IngressBackend, keyOf, type Service } from "../cluster_state.ts";
import { type BackendSlot, backendSlots, withBackends } from "./backend_slots.ts";
import { gatewayServiceName, isOurs } from "./gateway_backend.ts";
import { LastResults } from "../../store/last_results.ts";
import { namedServices } from "./named_services.ts";
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
  /** What is recorded of slots that are gone: of use while the original of another is not known. */
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
 *                                 | the backend of the slots that it may have been renamed from, if
 *                                 | that is one and the same; else not known
 *
 * The gateway itself is never an original: requests would go round in circles. It is known by the
 * names of its Service (now, and when the annotation was written) and by the label of that.
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
    return name === gatewayServiceName(gateway, namespace) || name === recorded?.gateway ||
      (service !== undefined && isOurs(service));
  };
  const isOriginal = (backend: IngressBackend | undefined) =>
    backend !== undefined && !isGateway(backend);

  const records = recorded?.backends ?? remembered;
  const present = new Set(slots.map(({ key }) => key));
  // Their author may have renamed them.
  const lost = new Map(
    [...records].filter(([key, backend]) => !present.has(key) && isOriginal(backend)),
  );
  const throughGateway = new Set<string>();
  const backends = new Map<string, IngressBackend>();
  for (const slot of slots) {
    const { key, backend } = slot;
    if (isGateway(backend)) throughGateway.add(key);
    const original = isGateway(backend)
      ? [recorded?.backends.get(key), remembered.get(key), renamedFrom(slot, lost)].find(isOriginal)
      : backend;
    if (original !== undefined) backends.set(key, original);
  }
  const replaced = new Map(
    [...throughGateway].map((key) => [key, backends.get(key) ?? {}]),
  );
  return { live, author: withBackends(live, replaced), throughGateway, backends, lost };
}

/**
 * An author who edits a patched Ingress in place changes a path or host and leaves the gateway where
 * it stands. The nearest candidates decide, but only if they agree.
 */
function renamedFrom({ rule }: BackendSlot, lost: Records): IngressBackend | undefined {
  if (rule === undefined || lost.size === 0) return undefined;
  const { host, path, pathType } = rule;
  const candidates = [
    [...lost].filter(([key]) => key.endsWith(` ${pathType} ${path}`)),
    [...lost].filter(([key]) => key.startsWith(`${host} `)),
    [...lost],
  ].find((found) => found.length > 0)!;
  const backends = candidates.map(([, backend]) => backend);
  const texts = new Set(backends.map((backend) => JSON.stringify(backend)));
  return texts.size === 1 ? backends[0] : undefined;
}
