import type { Ingress, Service } from "../cluster_state.ts";
import type { PlanOptions } from "./plan_options.ts";

/** What a value of an annotation has to be for the gateway to stand between. */
type Harmless = (value: string) => boolean;

const isHttp: Harmless = (value) => /^(http|http1|h1|https?1\.1|http\/1\.1)?$/i.test(value);
const isOff: Harmless = (value) => !/^(true|yes|on|1)$/i.test(value);
const isOn: Harmless = (value) => !isOff(value);
const never: Harmless = () => false;

/**
 * Annotations by which an Ingress controller speaks to backends otherwise than plain HTTP with the
 * client's Host, or not at all: it would speak so to the gateway too, which needs just that.
 */
const unsafeAnnotations: Readonly<Record<string, Harmless>> = {
  "nginx.ingress.kubernetes.io/backend-protocol": isHttp,
  "nginx.ingress.kubernetes.io/ssl-passthrough": isOff,
  "nginx.ingress.kubernetes.io/upstream-vhost": never,
  "nginx.org/grpc-services": never,
  "nginx.org/ssl-services": never,
  "haproxy.org/server-proto": isHttp,
  "haproxy.org/server-ssl": isOff,
  "haproxy.org/ssl-passthrough": isOff,
  "haproxy.org/set-host": never,
  "haproxy-ingress.github.io/backend-protocol": isHttp,
  "haproxy-ingress.github.io/ssl-passthrough": isOff,
  "alb.ingress.kubernetes.io/backend-protocol": isHttp,
  "alb.ingress.kubernetes.io/backend-protocol-version": isHttp,
  "appgw.ingress.kubernetes.io/backend-protocol": isHttp,
  "konghq.com/preserve-host": isOn,
  // Of Services:
  "traefik.ingress.kubernetes.io/service.serversscheme": isHttp,
  "konghq.com/protocol": isHttp,
  "projectcontour.io/upstream-protocol.tls": never,
  "projectcontour.io/upstream-protocol.h2": never,
  "projectcontour.io/upstream-protocol.h2c": never,
};

/** Annotations by which an Ingress has hosts that its rules do not name. */
const aliasAnnotations = [
  "nginx.ingress.kubernetes.io/server-alias",
  "haproxy-ingress.github.io/server-alias",
  "haproxy-ingress.github.io/server-alias-regex",
  "konghq.com/host-aliases",
];

/** Annotations by which every path of an Ingress is a regular expression, whatever its type. */
const regexAnnotations: Readonly<Record<string, RegExp>> = {
  "nginx.ingress.kubernetes.io/use-regex": /^true$/i,
  "nginx.org/path-regex": /./,
  "haproxy-ingress.github.io/path-type": /^regex$/i,
  "traefik.ingress.kubernetes.io/router.pathmatcher": /regexp$/i,
};

/** Annotations by which a controller sends another path to the backend than the client asked for. */
const rewriteAnnotations = [
  "nginx.ingress.kubernetes.io/rewrite-target",
  "nginx.org/rewrites",
  "haproxy.org/path-rewrite",
  "haproxy-ingress.github.io/rewrite-target",
  "konghq.com/rewrite",
  "konghq.com/strip-path",
  "appgw.ingress.kubernetes.io/backend-path-prefix",
];

const needed = "the gateway needs plain HTTP with the client's Host";
const unnamed = "the gateway answers requests of hosts that no rule names with 404";

type Annotated = Pick<Ingress | Service, "metadata">;

/** An annotation that the gateway cannot stand behind, and why: `NAME: VALUE; the gateway needs ...`. */
export function unsafeAnnotation({ metadata }: Annotated): string | undefined {
  for (const [name, value] of Object.entries(metadata.annotations ?? {})) {
    const harmless = Object.hasOwn(unsafeAnnotations, name) ? unsafeAnnotations[name] : undefined;
    if (harmless?.(value.trim()) === false) return `${name}: ${value}; ${needed}`;
    if (aliasAnnotations.includes(name) && value.trim() !== "") {
      return `${name}: ${value}; ${unnamed}`;
    }
  }
  return undefined;
}

/** Whether an annotation makes every path of the Ingress a regular expression. */
export function hasRegexPaths({ metadata: { annotations } }: Annotated): boolean {
  return annotations != null && Object.entries(regexAnnotations)
    .some(([name, value]) => value.test(annotations[name]?.trim() ?? ""));
}

/** The annotation that rewrites paths, if there is one. */
export function rewriteAnnotation({ metadata }: Annotated): string | undefined {
  return rewriteAnnotations.find((name) => (metadata.annotations?.[name] ?? "false") !== "false");
}

/**
 * Why a path that leads to this Service must not be led through the gateway: it would break what
 * works now. Undefined when it may; a Service that does not exist breaks nothing.
 */
export function unsafeService(
  service: Service,
  portName: string | number | undefined,
  { allowExternalName }: PlanOptions,
): string | undefined {
  if (service.spec.type === "ExternalName" && !allowExternalName) {
    return "is of type ExternalName, which is not allowed";
  }
  const annotation = unsafeAnnotation(service);
  if (annotation !== undefined) return `has the annotation ${annotation}`;
  const port = service.spec.ports?.find(({ name, port }) => portName === name || portName === port);
  const protocol = port?.appProtocol;
  return protocol === undefined || plainProtocols.has(protocol.toLowerCase())
    ? undefined
    : `has the appProtocol ${protocol} at that port; ${needed}`;
}

const plainProtocols = new Set(["", "http", "tcp", "kubernetes.io/ws", "ws"]);
