import type { Logger } from "../store/log.ts";
import type { RouteTally } from "../store/route_counter.ts";
import type { SnapshotStore } from "../store/snapshot_store.ts";
import { Failure, type FailureCode, failureReply, refusal } from "./failures.ts";
import type { ClientRequest } from "./front/client_request.ts";
import type { FrontHandler } from "./front/front_connection.ts";
import { TooManyConnections } from "./front/front_settings.ts";
import type { Reply } from "./front/reply.ts";
import { loggedMethod, loggedRequest } from "./logged_request.ts";
import type { ClientLimits } from "./limits/client_limits.ts";
import type { LoadGuard } from "./limits/load_guard.ts";
import { SparseLog } from "./limits/sparse_log.ts";
import { type Cors, isPreflight } from "./payment/cors.ts";
import { payOrFree } from "./payment/pay_or_free.ts";
import type { PaymentFlow } from "./payment/payment_flow.ts";
import { type Payment, readPaymentHeader, UnsupportedVersion } from "./payment/payment_header.ts";
import { canonicalRequest, type CanonicalTarget } from "./routing/canonical_request.ts";
import type { CompiledRule, PaidAccess } from "./routing/compiled_rule.ts";
import { publicUrl } from "./routing/public_url.ts";
import type { RouteIndex, RouteMatch } from "./routing/route_index.ts";
import { exchangeFields, replyFields, routeOf, spanMethod } from "./span_fields.ts";
import { tracing } from "./tracing.ts";
import type { TrustedProxies } from "./trusted_proxies.ts";
import { forwardedNames } from "./upstream/headers.ts";
import type { BackendCaller } from "./backend_caller.ts";
import { GatewayPurchase } from "./gateway_purchase.ts";

export interface HandlerDeps {
  readonly snapshots: SnapshotStore<RouteIndex>;
  readonly payments: PaymentFlow;
  readonly backends: BackendCaller;
  readonly cors: Cors;
  readonly trustedProxies: TrustedProxies;
  readonly limits: ClientLimits;
  readonly load: LoadGuard;
  /** Counts replies of the gateway's own by their code. */
  readonly refused: RouteTally;
  readonly log: Logger;
  /** Write one line per request. */
  readonly accessLog: boolean;
}

/** One request on its way through the gateway. */
export interface Exchange {
  readonly request: ClientRequest;
  readonly target: CanonicalTarget;
  readonly match: RouteMatch;
}

/**
 * The gateway's pipeline: one snapshot from the first byte to the last, matched once, and the very
 * string that was matched is what the backend gets.
 */
export class GatewayHandler implements FrontHandler {
  readonly #errors: SparseLog;

  constructor(private readonly deps: HandlerDeps) {
    this.#errors = new SparseLog(deps.log);
  }

  answer(request: ClientRequest): Promise<Reply> {
    if (tracing === undefined) return this.#answerAsTold(request);
    const answer = () => this.#answerAsTold(request);
    return tracing.served(spanMethod(request), request.headers, answer, replyFields);
  }

  #answerAsTold(request: ClientRequest): Promise<Reply> {
    return this.deps.accessLog ? this.#answerAndLog(request) : this.#answer(request);
  }

  refuse(error: unknown): Reply {
    if (error instanceof TooManyConnections) this.deps.load.noteRefused("connection");
    return this.#fail(error);
  }

  async #answerAndLog(
    request: ClientRequest,
  ): Promise<Reply> {
    const start = performance.now();
    const response = await this.#answer(request);
    // The time is that until the head of the reply.
    this.deps.log.info("request", {
      client: request.peer,
      ...loggedRequest(request),
      status: response.status,
      durationMs: Math.round(performance.now() - start),
    });
    return response;
  }

  /** Every failure becomes a reply here. */
  async #answer(request: ClientRequest): Promise<Reply> {
    const { load } = this.deps;
    if (!load.begin(request.headers)) return this.#turnAway(request, "overloaded");
    try {
      const routes = this.deps.snapshots.current();
      if (routes === undefined) throw new Failure("not_ready", "no snapshot");
      const target = canonicalRequest(request);
      const match = routes.match(target, request.method);
      tracing?.note(exchangeFields(request, match), `${spanMethod(request)} ${routeOf(match)}`);
      routes.checkOverrides(match, target, request.headers);
      return await this.#serve({ request, target, match });
    } catch (error) {
      return this.#fail(error, request);
    } finally {
      load.end();
    }
  }

  #serve(exchange: Exchange): Promise<Reply> {
    const { rule } = exchange.match;
    if (rule === undefined) {
      exchange.match.ingress.unmatched.add("unmatched");
      return this.deps.backends.forward(exchange);
    }
    switch (rule.access.kind) {
      case "free":
        rule.count("free");
        return this.deps.backends.forward(exchange);
      case "blocked":
        rule.count("blocked");
        throw new Failure("route_blocked", rule.access.reason);
      case "paid":
        return this.#servePaid(exchange, rule, rule.access);
    }
  }

  async #servePaid(
    exchange: Exchange,
    rule: CompiledRule,
    access: PaidAccess,
  ): Promise<Reply> {
    const { request } = exchange;
    const { backends, cors } = this.deps;
    if (isPreflight(request)) {
      rule.count("preflight");
      return cors.preflightReply(request, await backends.forwardPreflight(exchange));
    }
    if (access.conditions.length > 0 && this.#isFree(exchange, access)) {
      rule.count("conditional_free");
      return backends.forward(exchange);
    }
    // What cannot be served must not be offered, and what cannot be sent must not be charged.
    backends.check(exchange);
    const reply = await this.#charge(exchange, rule, access);
    return cors.expose(request, reply);
  }

  #charge(
    exchange: Exchange,
    rule: CompiledRule,
    access: PaidAccess,
  ): Reply | Promise<Reply> {
    const { request, match, target } = exchange;
    const { headers } = request;
    const { limits } = this.deps;
    const forwarded = this.#trusted(exchange)
      ? { proto: headers.get("x-forwarded-proto"), host: headers.get("x-forwarded-host") }
      : {};
    const resourceUrl = publicUrl(target, match.ingress.tlsHosts, forwarded);
    const payment = this.#readPayment(request, rule);
    if (payment === undefined) {
      const wait = limits.takeUnpaid(request, rule);
      if (wait > 0) return this.#turnAway(request, "too_many_unpaid_requests", wait);
      rule.count("payment_required");
      return access.challenge.ask(resourceUrl);
    }
    if (payment instanceof UnsupportedVersion) {
      limits.takeMalformed(request, rule);
      rule.count("payment_invalid");
      return access.challenge.refuse(resourceUrl, "invalid_x402_version");
    }
    return this.#sell(exchange, rule, access, payment, resourceUrl);
  }

  #readPayment(request: ClientRequest, rule: CompiledRule): ReturnType<typeof readPaymentHeader> {
    try {
      return readPaymentHeader(request.headers);
    } catch (error) {
      this.deps.limits.takeMalformed(request, rule);
      throw error;
    }
  }

  async #sell(
    exchange: Exchange,
    rule: CompiledRule,
    access: PaidAccess,
    payment: Payment,
    resourceUrl: string,
  ): Promise<Reply> {
    const { limits, backends, payments } = this.deps;
    const { payer } = payment.authorization;
    const client = limits.clientOf(exchange.request);
    const isSuspicious = limits.isSuspicious(client);
    if (isSuspicious) await limits.prove(client, payment, access.terms, rule);
    const noteRefused = () => {
      limits.spendRefused(client);
      if (isSuspicious) limits.noteRefused(payer);
    };
    const purchase = new GatewayPurchase(
      exchange,
      backends,
      rule,
      access,
      payment,
      resourceUrl,
      noteRefused,
    );
    try {
      const reply = await payments.serve(purchase);
      if (reply.status < 400) limits.notePaid(payer);
      return reply;
    } catch (error) {
      const isInvalid = error instanceof Failure && error.code === "too_many_invalid_signatures";
      if (isInvalid) noteRefused();
      throw error;
    } finally {
      purchase.end();
    }
  }

  #isFree(exchange: Exchange, access: PaidAccess): boolean {
    const { headers } = exchange.request;
    const trusted = this.#trusted(exchange);
    // What a stranger says about where it comes from decides nothing.
    const valueOf = (name: string) =>
      trusted || !forwardedNames.test(name) ? headers.get(name) : null;
    return payOrFree(access, valueOf) === "free";
  }

  #trusted({ request }: Exchange): boolean {
    return this.deps.trustedProxies.trusts(request.peer);
  }

  /** A refusal that many get. */
  #turnAway(request: ClientRequest, code: FailureCode, retryAfterSeconds?: number): Reply {
    const requestId = crypto.randomUUID();
    this.deps.refused.add(code);
    tracing?.note({ "x402.error": code });
    this.deps.log.debug("request refused", { requestId, method: loggedMethod(request), code });
    return refusal(code, requestId, retryAfterSeconds);
  }

  #fail(error: unknown, request?: ClientRequest): Reply {
    const failure = Failure.from(error);
    if (request?.gone !== true) this.deps.refused.add(failure.code);
    tracing?.note({ "x402.error": failure.code });
    const requestId = crypto.randomUUID();
    const fields = {
      requestId,
      method: request && loggedMethod(request),
      code: failure.code,
      detail: failure.detail,
    };
    // A refused facilitator is logged when its name is resolved, not for each request; and what ends
    // because its client has left is nobody's failure.
    const isNews = failure.status >= 500 && failure.code !== "facilitator_refused" &&
      failure.code !== "overloaded" && request?.gone !== true;
    if (isNews) this.#errors.error(failure.code, "request failed", fields);
    else this.deps.log.debug("request refused", fields);
    return failureReply(failure, requestId);
  }
}
