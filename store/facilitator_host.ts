/**
 * Which hosts a facilitator may have: `plan()` decides by the URL, and the gateway again by the
 * addresses that the host's name leads to.
 */
export interface FacilitatorHosts {
  /** `host` or `host:port` of facilitators that need not be public or https. */
  readonly allowedFacilitatorHosts: readonly string[];
  /** `cluster.local` */
  readonly clusterDomain: string;
}

/**
 * Names of the node, of its network (RFC 6762, RFC 8375) and of the metadata services of clouds,
 * which hand out credentials.
 */
const localName = new RegExp(
  "(^|\\.)(localhost|localdomain|local|internal|intranet|lan|home\\.arpa)$|" +
    "^(ip6-localhost|ip6-loopback|metadata|instance-data)$",
);

/** The host of a URL without the brackets of an address or the root's dot of a name. */
export function hostOf({ hostname }: URL): string {
  // A resolver takes `localhost.` for `localhost`.
  return hostname.replace(/\.+$/, "").replace(/^\[|\]$/g, "");
}

/** Whether the operator has allowed the host of this URL by name. */
export function isAllowedHost(url: URL, { allowedFacilitatorHosts }: FacilitatorHosts): boolean {
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  return allowedFacilitatorHosts.some((allowed) => {
    const host = allowed.toLowerCase();
    return host === url.hostname || host === `${url.hostname}:${port}`;
  });
}

/** Whether a name, as `hostOf` gives it, is one of the node or its network and not in public. */
export function isLocalName(host: string): boolean {
  return localName.test(host);
}

/** Whether a name, as `hostOf` gives it, is that of a Service; the cluster's DNS alone answers it. */
export function isClusterName(host: string, { clusterDomain }: FacilitatorHosts): boolean {
  return host.endsWith(".svc") || host.endsWith(`.svc.${clusterDomain.toLowerCase()}`) ||
    (!host.includes(".") && !isLocalName(host));
}
