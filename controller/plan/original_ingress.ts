import type { Ingress, IngressBackend } from "../cluster_state.ts";
import { type BackendSlot, backendSlots, withBackends } from "./backend_slots.ts";
import { gatewayServiceName } from "./gateway_backend.ts";
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
  readonly backends: ReadonlyMap<string, IngressBackend>;
}

/**
 * Finds out what an Ingress was before it was patched. `remembered` are the `backends` of the plan
 * before.
 *
 *     backend of the slot now     | its original is
 *     not the gateway             | that backend: what its author wrote last
 *     the gateway                 | what the annotation says of the slot; else
 *                                 | what is remembered of the slot; else
 *                                 | the backend of the slots that it may have been renamed from, if
 *                                 | that is one and the same; else not known
 *
 * The gateway itself is never an original: requests would go round in circles.
 */
export function originalIngress(
  live: Ingress,
  gateway: GatewayAddress | undefined,
  remembered: ReadonlyMap<string, IngressBackend>,
): OriginalIngress {
  const slots = backendSlots(live);
  const recorded = parseOriginals(live.metadata.annotations?.[originalBackendsAnnotation] ?? "");
  // The Service may have had another name when the annotation was written.
  const gatewayNames = gateway === undefined
    ? []
    : [gatewayServiceName(gateway, live.metadata.namespace), recorded?.gateway];
  const isGateway = ({ service }: IngressBackend) =>
    service !== undefined && gatewayNames.includes(service.name);
  const isOriginal = (backend: IngressBackend | undefined) =>
    backend !== undefined && !isGateway(backend);

  const records = recorded?.backends ?? remembered;
  const lost = orphans(records, slots);
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
  return { live, author: withBackends(live, replaced), throughGateway, backends };
}

type Records = ReadonlyMap<string, IngressBackend>;

/** What is recorded of slots that are gone, as far as their author may have renamed them. */
function orphans(records: Records, slots: readonly BackendSlot[]): Records {
  const present = new Set(slots.map(({ key }) => key));
  return new Map([...records].filter(([key]) => !present.has(key)));
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
