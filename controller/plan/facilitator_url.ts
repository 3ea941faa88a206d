import { BlockList, isIP } from "node:net";
import type { PlanOptions } from "./plan_options.ts";

/** Addresses that lead into the cluster, the node or the cloud's metadata (IANA special-purpose). */
const notPublic = new BlockList();
for (
  const [network, prefix] of [
    ["0.0.0.0", 8],
    ["10.0.0.0", 8],
    ["100.64.0.0", 10],
    ["127.0.0.0", 8],
    ["169.254.0.0", 16],
    ["172.16.0.0", 12],
    ["192.0.0.0", 24],
    ["192.168.0.0", 16],
    ["198.18.0.0", 15],
    ["224.0.0.0", 3],
  ] as const
) notPublic.addSubnet(network, prefix, "ipv4");
for (
  const [network, prefix] of [
    // The first and the next three can carry any IPv4 address: unspecified, loopback, compatible
    // and mapped; NAT64; NAT64 local; 6to4. A public facilitator is reached without them.
    ["::", 8],
    ["64:ff9b::", 96],
    ["64:ff9b:1::", 48],
    ["2002::", 16],
    ["fc00::", 7],
    ["fe80::", 9],
    ["ff00::", 8],
  ] as const
) notPublic.addSubnet(network, prefix, "ipv6");

/**
 * Names of the node, of its network (RFC 6762, RFC 8375) and of the metadata services of clouds,
 * which hand out credentials.
 */
const localName = new RegExp(
  "(^|\\.)(localhost|localdomain|local|internal|intranet|lan|home\\.arpa)$|" +
    "^(ip6-localhost|ip6-loopback|metadata|instance-data)$",
);

/**
 * Checks the URL of a facilitator: https in public, http only for names in the cluster, and nothing
 * that makes the gateway call into its own surroundings, unless the operator allows the host. Names
 * are not resolved: a public name that leads to a private address is not noticed.
 * Returns the URL without a trailing slash; a refusal's reason goes on after "the URL is ...".
 */
export function parseFacilitatorUrl(
  text: string,
  options: PlanOptions,
): { url: string } | { refused: string } {
  const url = URL.parse(text);
  if (url === null) return { refused: "not a URL; write for example https://x402.org/facilitator" };
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    return { refused: `a ${url.protocol} URL; https: is allowed, and http: inside the cluster` };
  }
  if (url.username !== "" || url.password !== "") {
    return { refused: "a URL with a user name or password, which is not allowed" };
  }
  // `search` and `hash` are empty for a bare "?" or "#", to which paths could not be appended.
  if (/[?#]/.test(text)) return { refused: "a URL with a query or fragment, which is not allowed" };
  const refused = isAllowed(url, options) ? undefined : hostProblem(url, options.clusterDomain);
  return refused === undefined ? { url: url.href.replace(/\/+$/, "") } : { refused };
}

function isAllowed(url: URL, { allowedFacilitatorHosts }: PlanOptions): boolean {
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  return allowedFacilitatorHosts.some((allowed) => {
    const host = allowed.toLowerCase();
    return host === url.hostname || host === `${url.hostname}:${port}`;
  });
}

function hostProblem(url: URL, clusterDomain: string): string | undefined {
  // A resolver takes `localhost.` for `localhost`.
  const host = url.hostname.replace(/\.+$/, "");
  const literal = host.replace(/^\[|\]$/g, "");
  const allow = `; the operator can allow it with --allow-facilitator-host ${url.hostname}`;
  if (isIP(literal) !== 0) {
    if (notPublic.check(literal, isIP(literal) === 6 ? "ipv6" : "ipv4")) {
      return `at ${literal}, a private, local or reserved address${allow}`;
    }
    return url.protocol === "https:" ? undefined : `an http URL with a public address; use https`;
  }
  const inCluster = host.endsWith(".svc") || host.endsWith(`.svc.${clusterDomain.toLowerCase()}`) ||
    (!host.includes(".") && !localName.test(host));
  // The cluster's own domain ends in `.local` too.
  if (!inCluster && localName.test(host)) return `at ${host}, a local name${allow}`;
  if (url.protocol === "https:" || inCluster) return undefined;
  return `an http URL of ${host}, which is outside the cluster; use https${allow}`;
}
