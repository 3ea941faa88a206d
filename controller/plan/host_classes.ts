import type { Ingress } from "../cluster_state.ts";
import { ingressHosts } from "./ingress_places.ts";
import { byAge } from "./object_order.ts";

export function ingressClass({ metadata, spec }: Ingress): string {
  return spec.ingressClassName ?? metadata.annotations?.["kubernetes.io/ingress.class"] ?? "";
}

/**
 * Which class of Ingresses a host belongs to: that of the oldest, those of a wildcard that has the
 * host included. The gateway cannot see by which controller a request came, and an Ingress whose
 * class no controller serves would take over the paths of others here, and only here.
 */
export class HostClasses {
  readonly #owners = new Map<string, Ingress>();

  constructor(ingresses: readonly Ingress[]) {
    for (const ingress of ingresses.toSorted((a, b) => byAge(a.metadata, b.metadata))) {
      for (const host of ingressHosts(ingress)) {
        if (this.#owner(host) === undefined) this.#owners.set(host, ingress);
      }
    }
  }

  /** The Ingress to which the host belongs, if that is one of another class. */
  stranger(host: string, ingress: Ingress): Ingress | undefined {
    const owner = this.#owner(host);
    return owner && ingressClass(owner) !== ingressClass(ingress) ? owner : undefined;
  }

  #owner(host: string): Ingress | undefined {
    return this.#owners.get(host) ?? this.#owners.get("*" + host.slice(host.indexOf(".")));
  }
}
