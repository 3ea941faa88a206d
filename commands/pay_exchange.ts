import { PayError } from "./pay_error.ts";

/** The request that `pay` sends, once without and once with a payment. */
export interface PayRequest {
  readonly url: string;
  /** Default: GET, or POST when there is `data`. */
  readonly method?: string;
  readonly header?: readonly [name: string, value: string][];
  readonly data?: string;
}

/** Bytes of a 402; offers take a few kilobytes. */
const maxChallengeBytes = 1024 ** 2;

/**
 * Sends the request, with the header `payment` if there is one. A 402 comes back read whole, of at
 * most 1 MiB and within `limitMs`; the body of any other reply streams without a limit.
 * Redirects are not followed: they could take the payment to a server that did not offer.
 * @throws {PayError} when there is no answer, or a 402 that breaks off or is beyond those limits
 */
export async function exchange(
  { url, method, header = [], data }: PayRequest,
  payment?: [name: string, value: string],
  limitMs = 30_000,
): Promise<Response> {
  const late = new AbortController();
  const startTimer = () =>
    setTimeout(() => late.abort(new Error(`not complete after ${limitMs / 1000} s`)), limitMs);
  // Terms come at once or never; what was paid for may take its time.
  let timer = payment === undefined ? startTimer() : undefined;
  try {
    const reply = await fetch(url, {
      method: method ?? (data === undefined ? "GET" : "POST"),
      headers: payment === undefined ? [...header] : [...header, payment],
      body: data ?? null,
      redirect: "manual",
      signal: late.signal,
    });
    if (reply.status !== 402) return reply;
    timer ??= startTimer();
    return new Response(await readChallenge(reply), reply);
  } catch (error) {
    const why = (error as Error).message;
    throw new PayError(
      payment === undefined
        ? `No answer of ${url} can be read: ${why}.`
        : `The payment was sent and no answer can be read: ${why}; it may still be settled.`,
    );
  } finally {
    clearTimeout(timer);
  }
}

/** @throws {PayError} (wrong usage) for a body with a method that has none (RFC 9110, section 9.3) */
export function refuseUnusableBody({ method, data }: PayRequest): void {
  if (data !== undefined && (method === "GET" || method === "HEAD")) {
    throw new PayError(`--data cannot be sent with --method ${method}; leave out one of them.`, 2);
  }
}

async function readChallenge(reply: Response): Promise<Blob> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for await (const chunk of reply.body ?? []) {
    size += chunk.byteLength;
    if (size > maxChallengeBytes) throw new Error("the 402 is longer than 1 MiB");
    chunks.push(chunk);
  }
  return new Blob(chunks);
}
