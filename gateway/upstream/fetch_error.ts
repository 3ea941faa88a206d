import { UpstreamFailure } from "./transport.ts";

type FailureCode = ConstructorParameters<typeof UpstreamFailure>[0];

/**
 * What the message of a `fetch` error's cause means; the first that matches decides. All errors are
 * the same TypeError otherwise. The texts are those of Deno 2.9.6 and pinned by tests on sockets.
 */
const meanings: readonly [text: RegExp, code: FailureCode, sent: "no" | "maybe"][] = [
  [/client error \(Connect\)/, "upstream_unreachable", "no"],
  [
    /invalid HTTP |invalid content-length|(?:invalid|unexpected) transfer-encoding|head is too large|unexpected message/,
    "upstream_invalid",
    "maybe",
  ],
  [/client error \(SendRequest\)/, "upstream_reset", "maybe"],
];

/** The failure that a rejection of `fetch` stands for, unless its signal was aborted. */
export function classifyFetchError(error: unknown): UpstreamFailure {
  const { cause } = error as { cause?: unknown };
  // Without a cause, fetch refused the request itself: a port that browsers block, an invalid URL.
  if (!(cause instanceof Error)) {
    return new UpstreamFailure("upstream_unreachable", String(error), "no", { cause: error });
  }
  const [, code, sent] = meanings.find(([text]) => text.test(cause.message)) ??
    [undefined, "upstream_reset", "maybe"] as const;
  return new UpstreamFailure(code, cause.message, sent, { cause: error });
}
