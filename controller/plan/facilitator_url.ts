import { isIP } from "node:net";
import { hostOf, isAllowedHost, isClusterName, isLocalName } from "../../store/facilitator_host.ts";
import { isPublicAddress } from "../../store/public_address.ts";
import type { PlanOptions } from "./plan_options.ts";

/**
 * Checks the URL of a facilitator: https in public, http only for names in the cluster, and nothing
 * that makes the gateway call into its own surroundings, unless the operator allows the host. Names
 * are not resolved: the gateway does that before each call.
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
  const refused = isAllowedHost(url, options) ? undefined : hostProblem(url, options);
  return refused === undefined ? { url: url.href.replace(/\/+$/, "") } : { refused };
}

function hostProblem(url: URL, options: PlanOptions): string | undefined {
  const host = hostOf(url);
  const allow = `; the operator can allow it with --allow-facilitator-host ${url.hostname}`;
  if (isIP(host) !== 0) {
    if (!isPublicAddress(host)) return `at ${host}, a private, local or reserved address${allow}`;
    return url.protocol === "https:" ? undefined : `an http URL with a public address; use https`;
  }
  const inCluster = isClusterName(host, options);
  // The cluster's own domain ends in `.local` too.
  if (!inCluster && isLocalName(host)) return `at ${host}, a local name${allow}`;
  if (url.protocol === "https:" || inCluster) return undefined;
  return `an http URL of ${host}, which is outside the cluster; use https${allow}`;
}
