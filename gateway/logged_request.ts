import type { ClientRequest } from "./front/client_request.ts";

/** Of the registered ones (RFC 9110, 16.1.1), which have at most 17 characters. */
const methodText = /^[A-Z]+(?:-[A-Z]+)*$/;
const hostText = /^[\w.:[\]-]+$/;
/** Before the path of a target in absolute form (RFC 9112, 3.2.2); there can be a password in it. */
const origin = /^https?:\/\/[^/?#]*/i;

/** Characters of each that are logged: a line must not cost more than the request. */
const maxLength = 256;

/** A request's method as far as it is one. */
export function loggedMethod({ method }: ClientRequest): string {
  return methodText.test(method) && method.length < 20 ? method : "(other)";
}

/**
 * What a log may show of a request: no query, no fragment and no user, which may all be secrets, and
 * nothing that was read in the place of a method or a host without being one.
 */
export function loggedRequest(request: ClientRequest): Record<"method" | "host" | "path", string> {
  const host = request.headers.get("host") ?? "";
  const path = request.target.replace(origin, "").split(/[?#]/, 1)[0]!;
  return {
    method: loggedMethod(request),
    host: hostText.test(host) ? host.slice(0, maxLength) : "(other)",
    path: path.startsWith("/") ? path.slice(0, maxLength) : "(other)",
  };
}
