import type { PaymentTerms } from "../../store/route_snapshot.ts";
import { requirementsV1, requirementsV2 } from "./requirements.ts";

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

  constructor(terms: PaymentTerms) {
    const offerV1 = requirementsV1(terms);
    this.#v1 = offerV1 === undefined
      ? { beforeUrl: undefined, beforeError: `{"x402Version":1,"accepts":[],"error":` }
      : {
        beforeUrl: `{"x402Version":1,"accepts":[${withoutBrace(offerV1)},"resource":`,
        beforeError: `}],"error":`,
      };
    const { description, mimeType } = terms;
    this.#v2 = {
      start: toBase64(`{"x402Version":2,"accepts":[${JSON.stringify(requirementsV2(terms))}],`),
      end: toBase64(`,${JSON.stringify({ description, mimeType }).slice(1)}}`),
    };
  }

  /**
   * The reply to a request that has not paid.
   * @param resourceUrl absolute public URL of what is being bought
   * @param reason why it was not served: an error code of the specification or a sentence
   * @param method `HEAD` gets the same head without a body
   */
  reply(resourceUrl: string, reason: string, method: string): Response {
    const url = JSON.stringify(resourceUrl);
    const error = JSON.stringify(reason);
    const middle = toBase64(`"error":${error},"resource":{"url":${url}`);
    return new Response(method === "HEAD" ? null : this.#body(url, error), {
      status: 402,
      headers: [
        ["content-type", "application/json"],
        ["cache-control", "no-store"],
        ["payment-required", this.#v2.start + middle + this.#v2.end],
      ],
    });
  }

  #body(url: string, error: string): string {
    const { beforeUrl, beforeError } = this.#v1;
    return (beforeUrl === undefined ? "" : beforeUrl + url) + beforeError + error + "}\n";
  }
}

function withoutBrace(object: object): string {
  return JSON.stringify(object).slice(0, -1);
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
