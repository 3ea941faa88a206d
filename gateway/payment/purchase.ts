import type { Delivery, Reply } from "../front/reply.ts";
import type { HeaderLine } from "../http1/header_fields.ts";
import type { CompiledRule, PaidAccess } from "../routing/compiled_rule.ts";
import type { Payment } from "./payment_header.ts";

/** One request that carries a payment. */
export interface Purchase {
  readonly rule: CompiledRule;
  readonly access: PaidAccess;
  readonly payment: Payment;
  readonly method: string;
  /** Lower case, without port. */
  readonly host: string;
  /** Absolute public URL of what is being bought. */
  readonly resourceUrl: string;
  /** Address of who sent it. */
  readonly client: string;
  /** Whether a URL on this host is sold under the same rule as this request. */
  isSoldHere(path: string): boolean;
  /** To be called when the buyer gets the terms again for it. */
  noteRefused(): void;
  /**
   * Says which request this is (`requestDigest`), for which a small body is read; undefined where
   * the body is too long for that, or of unknown length.
   * @throws {Failure} when the body breaks off
   */
  digest(): Promise<string | undefined>;
  /**
   * Calls the backend, once, adding these headers. Must not be cut short when the client leaves:
   * what the backend has begun is settled.
   * @throws {UpstreamFailure}
   */
  callBackend(identity: HeaderLine[]): Promise<BackendReply>;
}

/** The head of the backend's reply, not yet sent on. */
export interface BackendReply {
  readonly status: number;
  /** What became of the reply, once `finish` was called. */
  readonly delivery: Promise<Delivery>;
  /** Sends it to the client with these headers added. Called at most once. */
  finish(extra: HeaderLine[]): Reply;
  /** Throws it away and frees the connection. */
  discard(): void;
}
