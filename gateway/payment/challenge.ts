import type { PaymentTerms } from "../../store/route_snapshot.ts";
import { type PreparedText, Reply } from "../front/reply.ts";
import { statusAndFields } from "../front/reply_head.ts";
import { HeaderFields } from "../http1/header_fields.ts";
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
 * 2 in the header `PAYMENT-REQUIRED`; with both, every published buyer can pay. Only the resource's
 * URL differs between requests: all other text, base64 included, is made here.
 */
export class Challenge {
  readonly #unpaid: PreparedOffer;

  constructor(private readonly terms: PaymentTerms) {
    this.#unpaid = new PreparedOffer(terms, paymentMissing);
  }

  /**
   * The reply to a request without a payment.
   * @param resourceUrl absolute public URL of what is being bought
   */
  ask(resourceUrl: string): Reply {
    return this.#unpaid.replyFor(resourceUrl);
  }

  /**
   * The reply to a payment that was not accepted.
   * @param reason why: an error code of the specification or a sentence
   */
  refuse(resourceUrl: string, reason: string): Reply {
    return new PreparedOffer(this.terms, reason).replyFor(resourceUrl);
  }
}

/** A 402 up to the URL of the resource, and on from there. */
class PreparedOffer {
  /** Version 2, in base64. */
  readonly #offer: Gap;
  /** Status line and header lines. */
  readonly #head: Gap;
  /** Version 1; it has no place for the URL where version 1 cannot pay. */
  readonly #body: Gap;
  readonly #bodyHasUrl: boolean;

  constructor(terms: PaymentTerms, reason: string) {
    const { description, mimeType } = terms;
    const error = toJson(reason);
    const v2 = toJson(requirementsV2(terms));
    const resource = toJson({ description, mimeType }).slice(1);
    const before = toBase64(
      `{"x402Version":2,"accepts":[${v2}],"error":${error},"resource":{"url":`,
    );
    const after = toBase64(`,${resource},"extensions":${extensions}}`);
    this.#offer = new Gap(before, after);
    const lines = statusAndFields(402, headersOf(before), false);
    this.#head = new Gap(lines.slice(0, -2), `${after}\r\n`);
    const v1 = requirementsV1(terms);
    this.#bodyHasUrl = v1 !== undefined;
    this.#body = v1 === undefined
      ? new Gap(`{"x402Version":1,"accepts":[],"error":${error}}\n`, "")
      : new Gap(
        `{"x402Version":1,"accepts":[${toJson(v1).slice(0, -1)},"resource":`,
        `}],"error":${error}}\n`,
      );
  }

  replyFor(resourceUrl: string): Reply {
    const url = toJson(resourceUrl);
    const encodedUrl = toBase64(url);
    const bodyText = this.#bodyHasUrl ? url : "";
    return new Reply({
      status: 402,
      headers: headersOf(this.#offer.textWith(encodedUrl)),
      body: this.#body.textWith(bodyText),
      prepared: { head: this.#head.bytesWith(encodedUrl), body: this.#body.bytesWith(bodyText) },
    });
  }
}

/** The offer comes last: what follows it in the header is the framing's. */
function headersOf(offer: string): HeaderFields {
  const headers = new HeaderFields();
  headers.append("content-type", "application/json");
  headers.append("cache-control", "no-store");
  headers.append("payment-required", offer);
  return headers;
}

const ascii = new TextEncoder();

/** ASCII text with a place for something. */
class Gap {
  readonly #before: Uint8Array;
  readonly #after: Uint8Array;

  constructor(private readonly before: string, private readonly after: string) {
    this.#before = ascii.encode(before);
    this.#after = ascii.encode(after);
  }

  textWith(text: string): string {
    return this.before + text + this.after;
  }

  bytesWith(text: string): PreparedText {
    return { before: this.#before, text, after: this.#after };
  }
}

const notAscii = /[\u0080-\uffff]/g;

/** JSON in ASCII, so that a character is a byte. */
function toJson(value: unknown): string {
  return JSON.stringify(value).replace(
    notAscii,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/**
 * Base64 of a piece of JSON, filled up with spaces to a multiple of three bytes: such pieces can be
 * joined without decoding. Pieces end between two JSON tokens, where white space is free.
 */
function toBase64(json: string): string {
  return btoa(json + ["", "  ", " "][json.length % 3]);
}
