import { isMap, isScalar, LineCounter, type Node, type Pair, parseDocument } from "yaml";
import type { FacilitatorHosts } from "../../store/facilitator_host.ts";
import { CredentialsError } from "./credentials_error.ts";
import { UrlPrefix } from "./url_prefix.ts";

export type HeaderLine = [name: string, value: string];

/** Headers for the facilitators under one URL. */
export interface HeadersFor {
  readonly prefix: UrlPrefix;
  readonly headers: readonly HeaderLine[];
}

/** A token (RFC 9110, section 5.6.2). */
const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Visible ASCII, with blanks only inside. */
const headerValue = /^[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?$/;

/** What belongs to the connection or to the message, and is not for the operator to say. */
const reserved = new Set([
  ...["host", "content-length", "content-type", "content-encoding", "accept", "accept-encoding"],
  ...["connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization"],
  ...["te", "trailer", "transfer-encoding", "upgrade", "expect"],
]);

/**
 * Reads `URL: { Header-Name: value }`, in YAML or JSON.
 * @param hosts where headers may go without TLS
 * @throws {CredentialsError} with the line of the first thing that is wrong
 */
export function parseFacilitatorHeaders(
  text: string,
  file: string,
  hosts: FacilitatorHosts,
): HeadersFor[] {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const fail = (offset: number, reason: string): never => {
    throw new CredentialsError(`${file}:${lines.linePos(offset).line || 1}: ${reason}`);
  };
  const [error] = document.errors;
  // The code, because the message can quote what is written there.
  if (error !== undefined) fail(error.pos[0], `not valid YAML (${error.code})`);
  const entries: HeadersFor[] = [];
  for (const { key, value, offset } of pairsOf(document.contents, 0, fail)) {
    const prefix = UrlPrefix.parse(key, hosts);
    if (!(prefix instanceof UrlPrefix)) return fail(offset, prefix.refused);
    if (entries.some((entry) => entry.prefix.href === prefix.href)) {
      fail(offset, `${prefix.href} is named twice`);
    }
    entries.push({ prefix, headers: readHeaders(value, offset, fail) });
  }
  return entries;
}

/** The headers for a request: those of the longest prefix, and no others. */
export function headersFor(entries: readonly HeadersFor[], url: string): readonly HeaderLine[] {
  let best: HeadersFor | undefined;
  for (const entry of entries) {
    const length = best?.prefix.href.length ?? 0;
    if (entry.prefix.href.length > length && entry.prefix.covers(url)) best = entry;
  }
  return best?.headers ?? [];
}

type Fail = (offset: number, reason: string) => never;

function readHeaders(node: unknown, around: number, fail: Fail): HeaderLine[] {
  const headers = new Map<string, string>();
  for (const { key, value, offset } of pairsOf(node, around, fail)) {
    if (!headerName.test(key)) fail(offset, "a header name is a token, such as Authorization");
    const name = key.toLowerCase();
    if (reserved.has(name)) fail(offset, `${name} is set by the gateway and cannot be given`);
    if (headers.has(name)) fail(offset, `${name} is named twice`);
    const text = isScalar(value) ? value.value : undefined;
    if (typeof text !== "string" || !headerValue.test(text)) {
      return fail(
        offset,
        `the value of ${name} has to be a text of one line in ASCII, without blanks around it; ` +
          "quote numbers",
      );
    }
    headers.set(name, text);
  }
  return [...headers];
}

interface TextPair {
  readonly key: string;
  readonly value: unknown;
  readonly offset: number;
}

/** The pairs of a mapping whose keys are texts. */
function pairsOf(node: unknown, around: number, fail: Fail): TextPair[] {
  if (!isMap(node)) {
    const offset = (node as Node | null)?.range?.[0] ?? around;
    return fail(offset, "write a mapping: https://facilitator.example.com: { Header-Name: value }");
  }
  return node.items.map(({ key, value }: Pair) => {
    const offset = (key as Node).range?.[0] ?? around;
    if (!isScalar(key) || typeof key.value !== "string") return fail(offset, "a key is no text");
    return { key: key.value, value, offset };
  });
}
