/** What spans are told: names of OpenTelemetry's semantic conventions where it has them, else `x402.*`. */
import type { PaymentTerms } from "../store/route_snapshot.ts";
import type { SettleOutcome, VerifyOutcome } from "./facilitator/facilitator_client.ts";
import type { ClientRequest } from "./front/client_request.ts";
import type { Reply } from "./front/reply.ts";
import { loggedRequest } from "./logged_request.ts";
import type { Purchase } from "./payment/purchase.ts";
import type { RouteMatch } from "./routing/route_index.ts";
import type { SpanFields } from "./tracing.ts";

/** Those that the semantic conventions know (RFC 9110, and PATCH of RFC 5789). */
const knownMethods = new Set(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]);

/** A method in the names of spans: clients may write anything, and the names stay few. */
export function spanMethod({ method }: ClientRequest): string {
  return knownMethods.has(method) ? method : "_OTHER";
}

/** The pattern that decided: of bounded number, as the path of a request is not. */
export function routeOf({ rule }: RouteMatch): string {
  return rule?.pattern ?? "unmatched";
}

/** Of a request that came in, once it is known what it falls under. */
export function exchangeFields(request: ClientRequest, match: RouteMatch): SpanFields {
  const { host, path } = loggedRequest(request);
  const { rule } = match;
  return {
    "http.request.method": spanMethod(request),
    "server.address": host,
    "url.path": path,
    "http.route": routeOf(match),
    "x402.access": rule?.access.kind ?? "unmatched",
    "x402.route": rule && `${rule.route.namespace}/${rule.route.name}`,
  };
}

/** Of the reply to it. */
export function replyFields({ status }: Reply): SpanFields {
  return { "http.response.status_code": status, ...errorAbove(499, status) };
}

/** Of the reply of a backend, given as scheme, host and port. */
export function upstreamFields({ status }: Reply, backendUrl: string): SpanFields {
  const { hostname, port } = new URL(backendUrl);
  return {
    "server.address": hostname,
    "server.port": Number(port) || (backendUrl.startsWith("https:") ? 443 : 80),
    "http.response.status_code": status,
    ...errorAbove(399, status),
  };
}

/** Of a facilitator's answer whether a payment is valid. */
export function verifyFields(purchase: Purchase, verdict: VerifyOutcome): SpanFields {
  const reason = verdict.kind === "valid" ? undefined : verdict.reason;
  return { ...paymentFields(purchase), "x402.outcome": verdict.kind, "x402.reason": reason };
}

/** Of a facilitator's answer what became of a settlement. */
export function settleFields(purchase: Purchase, outcome: SettleOutcome): SpanFields {
  const fields = { ...paymentFields(purchase), "x402.outcome": outcome.kind };
  switch (outcome.kind) {
    case "settled":
      return { ...fields, "x402.transaction": outcome.transaction };
    case "refused":
      return { ...fields, "x402.reason": outcome.reason };
    default:
      return { ...fields, "error.type": outcome.failure.code };
  }
}

function paymentFields({ payment, access }: Purchase): SpanFields {
  const { network, amount, asset, facilitatorUrl }: PaymentTerms = access.terms;
  return {
    "server.address": new URL(facilitatorUrl).host,
    "x402.network": network,
    "x402.asset": asset,
    // Atomic units in decimal: a number of OpenTelemetry may be a float on its way.
    "x402.amount": amount,
    "x402.payer": payment.authorization.payer,
  };
}

/** Semantic conventions: a status is an error of a server from 500 on, of a client from 400 on. */
function errorAbove(highest: number, status: number): SpanFields {
  return status > highest ? { "error.type": `${status}` } : {};
}
