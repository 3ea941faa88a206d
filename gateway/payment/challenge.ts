import type { PaymentTerms } from "../../store/route_snapshot.ts";
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
   * @param method `HEAD` gets the same head without a body
   */
  ask(resourceUrl: string, method: string): Response {
    const known = this.recent.get(resourceUrl);
    if (known?.challenge === this) return toResponse(known, method);
    const made = { challenge: this, ...this.#make(resourceUrl, paymentMissing) };
    this.recent.set(resourceUrl, made);
    return toResponse(made, method);
  }

  /**
   * The reply to a payment that was not accepted.
   * @param reason why: an error code of the specification or a sentence
   */
  refuse(resourceUrl: string, reason: string, method: string): Response {
    return toResponse(this.#make(resourceUrl, reason), method);
  }

  #make(resourceUrl: string, reason: string): PreparedReply {
    const url = JSON.stringify(resourceUrl);
    const error = JSON.stringify(reason);
    const body = this.#body(url, error);
    const { start, end } = this.#v2;
    const json = `"error":${error},"resource":{"url":${url}`;
    const header = start + toBase64(json) + end;
    const padding = paddingForOneSend(header.length, body.length);
    const headers = new Headers([
      ["content-type", "application/json"],
      ["cache-control", "no-store"],
      ["payment-required", padding === 0 ? header : start + toBase64(json, padding) + end],
    ]);
    return { headers, body };
  }

  #body(url: string, error: string): string {
    const { beforeUrl, beforeError } = this.#v1;
    return (beforeUrl === undefined ? "" : beforeUrl + url) + beforeError + error + "}\n";
  }
}

function withoutBrace(object: object): string {
  return JSON.stringify(object).slice(0, -1);
}

export interface PreparedReply {
  readonly headers: Headers;
  readonly body: string;
}

function toResponse({ headers, body }: PreparedReply, method: string): Response {
  return new Response(method === "HEAD" ? null : body, { status: 402, headers });
}

const utf8 = new TextEncoder();

/**
 * Base64 of a piece of JSON, filled up with spaces to a multiple of three bytes: such pieces can be
 * joined without decoding. Pieces end between two JSON tokens, where white space is free.
 */
function toBase64(json: string, padding = 0): string {
  const bytes = utf8.encode(json + " ".repeat(padding));
  const missing = (3 - bytes.length % 3) % 3;
  return (missing === 0 ? bytes : utf8.encode(json + " ".repeat(padding + missing))).toBase64();
}

/** Bytes of the status line, the other headers and the ends of lines of a 402. */
const restOfHead = 168;
/** It varies by a few bytes: the digits of the length. */
const headSlack = 9;

/**
 * White space to add to the header's JSON, in bytes. `Deno.serve` sends head and body with one
 * system call only if both fit into the buffer of the head, whose size is the power of two above
 * the head; two calls cost 15% of a 402 (measured on Deno 2.9.6). So a head that leaves too little
 * room is lifted over the next power of two.
 */
function paddingForOneSend(headerLength: number, bodyLength: number): number {
  const head = headerLength + restOfHead;
  const buffer = 2 ** Math.ceil(Math.log2(head));
  if (head + bodyLength <= buffer) return 0;
  return Math.ceil((buffer + headSlack - head) * 3 / 4);
}
