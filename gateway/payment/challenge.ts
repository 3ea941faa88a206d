import type { PaymentTerms } from "../../store/route_snapshot.ts";
import { Reply } from "../front/reply.ts";
import { statusAndFields } from "../front/reply_head.ts";
import { HeaderFields } from "../http1/header_fields.ts";
import { RecentReplies } from "./recent_replies.ts";
import { requirementsV1, requirementsV2 } from "./requirements.ts";

/** What a buyer is told that sent no payment. */
const paymentMissing = "PAYMENT-SIGNATURE header is required";

/** Buyers may name their payments (payment_identifier.md, "`PaymentRequired`"). */
const extensions = JSON.stringify({
  "payment-identifier": {
    info: { required: false },
    schema: {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
      properties: {
        required: { type: "boolean" },
        id: { type: "string", minLength: 16, maxLength: 128 },
      },
      required: ["required"],
    },
  },
});

/**
 * The 402 of a rule, prepared once per snapshot. Protocol version 1 lives in the JSON body, version
 * 2 in the header `PAYMENT-REQUIRED`; with both, every published buyer can pay. Only the reason and
 * the resource's URL differ between requests: all other bytes, base64 included, are made here.
 */
export class Challenge {
  /** JSON up to the place of the resource's URL, and of the reason. No URL where v1 cannot pay. */
  readonly #v1: { readonly beforeUrl: string | undefined; readonly beforeError: string };
  /** Base64 before and after the part that differs. */
  readonly #v2: { readonly start: string; readonly end: string };

  /** `recent` may be shared by all challenges. */
  constructor(terms: PaymentTerms, private readonly recent = new RecentReplies()) {
    const offerV1 = requirementsV1(terms);
    this.#v1 = offerV1 === undefined
      ? { beforeUrl: undefined, beforeError: `{"x402Version":1,"accepts":[],"error":` }
      : {
        beforeUrl: `{"x402Version":1,"accepts":[${withoutBrace(offerV1)},"resource":`,
        beforeError: `}],"error":`,
      };
    const { description, mimeType } = terms;
    const end = JSON.stringify({ description, mimeType }).slice(1);
    this.#v2 = {
      start: toBase64(`{"x402Version":2,"accepts":[${JSON.stringify(requirementsV2(terms))}],`),
      end: toBase64(`,${end},"extensions":${extensions}}`),
    };
  }

  /**
   * The reply to a request without a payment.
   * @param resourceUrl absolute public URL of what is being bought
   */
  ask(resourceUrl: string): Reply {
    const known = this.recent.get(resourceUrl);
    if (known?.challenge === this) return toReply(known);
    const made = { challenge: this, ...this.#make(resourceUrl, paymentMissing) };
    this.recent.set(resourceUrl, made);
    return toReply(made);
  }

  /**
   * The reply to a payment that was not accepted.
   * @param reason why: an error code of the specification or a sentence
   */
  refuse(resourceUrl: string, reason: string): Reply {
    return toReply(this.#make(resourceUrl, reason));
  }

  #make(resourceUrl: string, reason: string): PreparedReply {
    const url = JSON.stringify(resourceUrl);
    const error = JSON.stringify(reason);
    const { start, end } = this.#v2;
    const header = start + toBase64(`"error":${error},"resource":{"url":${url}`) + end;
    const headers = HeaderFields.of([
      ["content-type", "application/json"],
      ["cache-control", "no-store"],
      ["payment-required", header],
    ]);
    const encoded = utf8.encode(statusAndFields(402, headers, false));
    return { headers, encoded, body: utf8.encode(this.#body(url, error)) };
  }

  #body(url: string, error: string): string {
    const { beforeUrl, beforeError } = this.#v1;
    return (beforeUrl === undefined ? "" : beforeUrl + url) + beforeError + error + "}\n";
  }
}

function withoutBrace(object: object): string {
  return JSON.stringify(object).slice(0, -1);
}

/** The bytes of a 402, made once for all requests to one URL. */
export interface PreparedReply {
  readonly headers: HeaderFields;
  /** Status line and header lines. */
  readonly encoded: Uint8Array;
  readonly body: Uint8Array;
}

function toReply({ headers, encoded, body }: PreparedReply): Reply {
  return new Reply({ status: 402, headers, encoded, body });
}

const utf8 = new TextEncoder();

/**
 * Base64 of a piece of JSON, filled up with spaces to a multiple of three bytes: such pieces can be
 * joined without decoding. Pieces end between two JSON tokens, where white space is free.
 */
function toBase64(json: string): string {
  const bytes = utf8.encode(json);
  const missing = (3 - bytes.length % 3) % 3;
  return (missing === 0 ? bytes : utf8.encode(json + " ".repeat(missing))).toBase64();
}
