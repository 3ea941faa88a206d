import type { Backend } from "../../store/route_snapshot.ts";
import { type IngressBackend, keyOf, type Service } from "../cluster_state.ts";
import type { PlanOptions } from "./plan_options.ts";

type ServicePort = NonNullable<Service["spec"]["ports"]>[number];

/** Finds the URL of an Ingress backend through its Service; `services` are by `namespace/name`. */
export function resolveBackend(
  namespace: string,
  { service: reference, resource }: IngressBackend,
  services: ReadonlyMap<string, Service>,
  options: PlanOptions,
): Backend {
  if (resource !== undefined) return { unresolved: "the Ingress backend is not a Service" };
  if (reference === undefined) return { unresolved: "the original backend is not known" };
  const key = keyOf({ namespace, name: reference.name });
  const service = services.get(key);
  if (service === undefined) return { unresolved: `Service ${key} does not exist` };
  const { name, number } = reference.port ?? {};
  const port = service.spec.ports?.find((port) =>
    isTcp(port) &&
    (name === undefined ? port.port === number : port.name === name)
  );
  const missing = { unresolved: `Service ${key} has no ${missingPort(service, name ?? number)}` };
  if (service.spec.type === "ExternalName") {
    // A name cannot be looked up anywhere else; a number may be one that is not listed.
    const external = port?.port ?? (name === undefined ? number : undefined);
    return external === undefined ? missing : externalBackend(service, external, options);
  }
  if (port === undefined) return missing;
  const target = targetPort(service, port);
  return target === undefined
    ? {
      unresolved: `Service ${key} is headless and its targetPort ${port.targetPort} is a name; ` +
        "write the number of the port",
    }
    : { url: `http://${reference.name}.${namespace}.svc.${options.clusterDomain}:${target}` };
}

function externalBackend(
  { metadata, spec }: Service,
  port: number,
  options: PlanOptions,
): Backend {
  const key = keyOf(metadata);
  if (!options.allowExternalName) {
    return {
      unresolved: `Service ${key} is of type ExternalName, which is not allowed in a cluster`,
    };
  }
  // The host goes into a URL: nothing but a name may come of it.
  if (!/^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(spec.externalName ?? "")) {
    return {
      unresolved:
        `Service ${key} has the externalName ${JSON.stringify(spec.externalName ?? "")}, ` +
        "which is not a host name",
    };
  }
  return { url: `http://${spec.externalName}:${port}` };
}

function isTcp({ protocol }: ServicePort): boolean {
  return protocol === undefined || protocol === "TCP";
}

function missingPort({ spec }: Service, asked: string | number | undefined): string {
  const there = (spec.ports ?? []).filter(isTcp).map(({ name, port }) =>
    name === undefined ? port : `${name} (${port})`
  );
  return `TCP port ${asked ?? "(none is named)"}; its ports: ${there.join(", ") || "none"}`;
}

/** A headless name leads to the pods themselves, past the Service's port mapping. */
function targetPort({ spec }: Service, port: ServicePort): number | undefined {
  if (spec.clusterIP !== "None") return port.port;
  const target = port.targetPort ?? port.port;
  return typeof target === "number" ? target : undefined;
}
