/** What went wrong with a request to the API server; `message` is one sentence with the request. */
export class KubeError extends Error {
  override readonly name = "KubeError";
  /** Milliseconds that the server wants to be left alone (`Retry-After`, RFC 9110 10.2.3). */
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    /** The HTTP status, or `code` of the Status in a watch; 0 when there was no answer. */
    readonly status: number,
    /**
     * `reason` of the server's Status (`Conflict`, `NotFound`, `Expired`, ...). Ours are
     * `Unreachable`, `Timeout`, and `InvalidResponse` for an answer that is not from an API server.
     */
    readonly reason: string,
    options: ErrorOptions & { readonly retryAfterMs?: number | undefined } = {},
  ) {
    super(message, options);
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** The part of a Status (meta/v1) that is read. */
interface Status {
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
}

/**
 * The error in an answer that is no success. Its body is a Status, or text: an unknown path, a CRD
 * that is not served yet, and whatever stands between us and the API server answer in plain text.
 *
 * @param request such as `GET /api/v1/services`
 */
export function errorOfResponse(request: string, response: Response, body: string): KubeError {
  const { reason, message } = statusOf(body);
  const seconds = Number(response.headers.get("retry-after") ?? NaN);
  return new KubeError(
    `${request}: ${response.status} ${message ?? excerpt(body)}`,
    response.status,
    reason ?? "InvalidResponse",
    { retryAfterMs: seconds >= 0 ? seconds * 1000 : undefined },
  );
}

/** The error in an event of type ERROR, whose object is a Status. */
export function errorOfEvent(request: string, status: Status): KubeError {
  const { code = 500, reason = "InternalError", message = "the watch failed" } = status;
  return new KubeError(`${request}: ${code} ${message}`, code, reason);
}

/** What an answer that should have been JSON looks like, on one line. */
export function excerpt(body: string): string {
  const line = body.replaceAll(/\s+/g, " ").trim();
  return line.length > 200 ? `${line.slice(0, 200)}...` : line || "(empty)";
}

function statusOf(body: string): Status {
  try {
    const parsed = JSON.parse(body);
    return parsed?.kind === "Status" ? parsed : {};
  } catch {
    return {};
  }
}
