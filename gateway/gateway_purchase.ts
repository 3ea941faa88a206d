import type { BackendCaller } from "./backend_caller.ts";
import type { Exchange } from "./handler.ts";
import type { Payment } from "./payment/payment_header.ts";
import type { BackendReply, Purchase } from "./payment/purchase.ts";
import type { HeaderLine } from "./http1/header_fields.ts";
import { requestDigest } from "./payment/request_digest.ts";
import { canonicalPath } from "./routing/canonical_path.ts";
import type { CompiledRule, PaidAccess } from "./routing/compiled_rule.ts";
import type { SmallBody } from "./upstream/request_body.ts";
import { pathSegments } from "../store/path_pattern.ts";

/** An exchange as the payment flow sees it. */
export class GatewayPurchase implements Purchase {
  readonly method: string;
  readonly host: string;
  readonly client: string;
  #body: SmallBody | undefined;

  constructor(
    private readonly exchange: Exchange,
    private readonly backends: BackendCaller,
    readonly rule: CompiledRule,
    readonly access: PaidAccess,
    readonly payment: Payment,
    readonly resourceUrl: string,
    readonly noteRefused: () => void,
  ) {
    this.method = exchange.request.method;
    this.host = exchange.target.host;
    this.client = backends.clientOf(exchange);
  }

  isSoldHere(path: string): boolean {
    const { match } = this.exchange;
    try {
      return match.ingress.rules.find(pathSegments(canonicalPath(path)), this.method) === this.rule;
    } catch {
      return false; // not a path at all
    }
  }

  async digest(): Promise<string | undefined> {
    this.#body = await this.backends.readBody(this.exchange);
    if (this.#body === undefined) return undefined;
    return requestDigest(this.method, this.exchange.target, this.#body.bytes);
  }

  /** To be called when the reply has begun, or there is none. */
  end(): void {
    this.#body?.release();
    this.#body = undefined;
  }

  callBackend(identity: HeaderLine[]): Promise<BackendReply> {
    return this.backends.callPaid(this.exchange, identity, this.#body);
  }
}
