import { normalizePercentEncoding } from "../../store/path_pattern.ts";
import { Failure } from "../failures.ts";

/** Bytes of a canonical path that is still accepted: 8 KiB. */
const maxPathLength = 8 * 1024;

/** Only characters that are canonical as they stand: the usual case, decided by one scan. */
const plain = /^\/[A-Za-z0-9\-._~!$&'()*+,;=:@/[\]^|]*$/;
const dotSegment = /\/\.{1,2}(?:\/|$)/;
// deno-lint-ignore no-control-regex -- control characters are what is looked for
const neverInPath = /[\\#?\x00-\x1f\x7f]/;

/**
 * The one spelling of a path that is both matched and sent: unreserved characters decoded, hex
 * upper case (RFC 3986, 6.2.2), and what `fetch` would encode already encoded, so that `fetch`
 * sends this very string. Idempotent.
 * @throws {Failure} `invalid_path` for dot segments in any spelling, a backslash, control
 * characters, `%00`, a broken percent-encoding, bytes that are not UTF-8, more than 8 KiB
 */
export function canonicalPath(raw: string): string {
  const path = plain.test(raw) ? raw : canonicalSpelling(raw);
  if (path.length > maxPathLength) {
    throw invalidPath(`the path has ${path.length} bytes, at most ${maxPathLength} are allowed`);
  }
  // fetch would resolve these, so that the backend saw another path than the one matched.
  if (dotSegment.test(path)) throw invalidPath("the path has a dot segment");
  return path;
}

function canonicalSpelling(raw: string): string {
  if (!raw.startsWith("/")) throw invalidPath('the path does not start with "/"');
  if (neverInPath.test(raw)) throw invalidPath("the path has a backslash or a control character");
  if (/%(?![0-9A-Fa-f]{2})/.test(raw)) throw invalidPath("a percent-encoding is not complete");
  return encodeUnsafe(raw.replace(/(?:%[0-9A-Fa-f]{2})+/g, canonicalEscapes));
}

/** One run of percent-encodings; the run as a whole has to be UTF-8. */
function canonicalEscapes(run: string): string {
  if (run.includes("%00")) throw invalidPath("the path has a NUL byte");
  try {
    decodeURIComponent(run);
  } catch (cause) {
    throw invalidPath("a percent-encoding is not UTF-8", cause);
  }
  return normalizePercentEncoding(run);
}

/**
 * Encodes what `fetch` encodes in a path (WHATWG URL, path percent-encode set, as of Deno 2.9.6), and
 * the characters that would end or change a path: `?`, `#`, backslash, controls.
 */
export function encodeUnsafe(text: string): string {
  try {
    return text.replace(/[^!$-;=@-[\]^_a-z|~]+/g, encodeURIComponent);
  } catch (cause) {
    throw invalidPath("the path is not Unicode text", cause);
  }
}

function invalidPath(detail: string, cause?: unknown): Failure {
  return new Failure("invalid_path", detail, { cause });
}
