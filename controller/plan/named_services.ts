import { type Ingress, keyOf, type Service } from "../cluster_state.ts";
import { backendSlots } from "./backend_slots.ts";
import { LastResults } from "../../store/last_results.ts";

const known = new LastResults<Ingress, readonly string[]>();

/** The Services that an Ingress names, undefined for those that are missing; `services` are by key. */
export function namedServices(
  ingress: Ingress,
  services: ReadonlyMap<string, Service>,
): (Service | undefined)[] {
  return known.get(ingress, [], () => serviceKeys(ingress)).map((key) => services.get(key));
}

function serviceKeys(ingress: Ingress): string[] {
  const { namespace } = ingress.metadata;
  const keys = backendSlots(ingress).flatMap(({ backend: { service } }) =>
    service === undefined ? [] : [keyOf({ namespace, name: service.name })]
  );
  return [...new Set(keys)];
}
