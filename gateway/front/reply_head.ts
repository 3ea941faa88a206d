import { HeaderFields } from "../http1/header_fields.ts";
import { isSource, type Reply } from "./reply.ts";

/** How the client finds the end of a reply's body (RFC 9112, 6.3). */
export type ReplyFraming = "none" | "length" | "chunked" | "close";

/** Reason phrases of the registry; others get none, which the grammar allows (RFC 9112, 4). */
const reasons: Readonly<Record<number, string>> = {
  101: "Switching Protocols",
  200: "OK",
  201: "Created",
  202: "Accepted",
  204: "No Content",
  206: "Partial Content",
  301: "Moved Permanently",
  302: "Found",
  303: "See Other",
  304: "Not Modified",
  307: "Temporary Redirect",
  308: "Permanent Redirect",
  400: "Bad Request",
  401: "Unauthorized",
  402: "Payment Required",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  410: "Gone",
  411: "Length Required",
  413: "Content Too Large",
  414: "URI Too Long",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  505: "HTTP Version Not Supported",
  508: "Loop Detected",
};

/** Status line and header lines, without those of the framing and without `date`. */
export function statusAndFields(status: number, headers: HeaderFields, isHead: boolean): string {
  let text = `HTTP/1.1 ${status} ${reasons[status] ?? ""}\r\n`;
  headers.forEach((value, name) => {
    // The length is written anew, from the body; for HEAD there is none to know it from.
    if (name !== "content-length" || isHead) text += `${name}: ${value}\r\n`;
  });
  return text;
}

/** @param http11 whether the client knows chunks */
export function framingOf({ status, body }: Reply, isHead: boolean, http11: boolean): ReplyFraming {
  if (isHead || status < 200 || status === 204 || status === 304) return "none";
  if (!isSource(body) || body.length !== undefined) return "length";
  return http11 ? "chunked" : "close";
}

let dateSecond = 0;
let dateText = "";

/** The `date` line of a reply made here (RFC 9110, 6.6.1); its text is made once a second. */
export function dateLine(): string {
  const second = Math.floor(Date.now() / 1000);
  if (second !== dateSecond) {
    dateSecond = second;
    dateText = `date: ${new Date(second * 1000).toUTCString()}\r\n`;
  }
  return dateText;
}
