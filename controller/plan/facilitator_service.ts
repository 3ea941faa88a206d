import { hostOf, isAllowedHost, isClusterName } from "../../store/facilitator_host.ts";
import { keyOf, type ObjectName, type Service } from "../cluster_state.ts";
import { type Finding, finding } from "./finding.ts";
import type { PlanOptions } from "./plan_options.ts";

/**
 * What is wrong with the Service that a facilitator's URL names: one of type ExternalName leads to
 * whatever host its author likes, as it would behind an Ingress. `services` are by `namespace/name`.
 */
export function facilitatorService(
  facilitatorUrl: string,
  services: ReadonlyMap<string, Service>,
  options: PlanOptions,
): Finding[] {
  const url = URL.parse(facilitatorUrl);
  if (url === null || options.allowExternalName || isAllowedHost(url, options)) return [];
  const name = serviceName(hostOf(url), options);
  const service = name && services.get(keyOf(name));
  if (service?.spec.type !== "ExternalName") return [];
  const sentence =
    `is ${JSON.stringify(facilitatorUrl)}, whose Service ${keyOf(service.metadata)} ` +
    "is of type ExternalName, which is not allowed; the operator can allow the host with " +
    `--allow-facilitator-host ${url.hostname}`;
  return [finding("invalid", ["spec", "payment", "facilitatorURL"], sentence)];
}

/** The Service of a name in the cluster; one without a namespace is of the operator's own. */
function serviceName(host: string, options: PlanOptions): ObjectName | undefined {
  if (!isClusterName(host, options)) return undefined;
  const inNamespace = /(?:^|\.)([^.]+)\.([^.]+)\.svc(?:$|\.)/.exec(host);
  const [, name = host, namespace = options.gateway?.own.namespace] = inNamespace ?? [];
  return namespace === undefined ? undefined : { namespace, name };
}
