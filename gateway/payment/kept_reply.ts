import type { Hold, PaymentLedger } from "../../store/ledger/payment_ledger.ts";
import type { KeptReply } from "../../store/ledger/payment_record.ts";
import type { Logger } from "../../store/log.ts";
import { Failure } from "../failures.ts";

/** Longer bodies are not kept, in bytes. */
const maxKeptBytes = 64 * 1024;

/**
 * The same reply, kept in the ledger when it has ended: what a buyer gets who repeats a purchase
 * under the same payment identifier.
 * @returns `saved` resolves when there is nothing more to wait for
 */
export function keepReply(
  ledger: PaymentLedger,
  hold: Hold,
  reply: Response,
  log: Logger,
): { readonly response: Response; readonly saved: Promise<void> } {
  const { status } = reply;
  if (status === 101) return { response: reply, saved: Promise.resolve() };
  const headers = [...reply.headers];
  const save = (body: Uint8Array<ArrayBuffer>) =>
    ledger.keepReply(hold, { status, headers, body }).catch((error) =>
      log.warn("reply not kept", { payment: hold.id, reason: (error as Error).message })
    );
  if (reply.body === null) return { response: reply, saved: save(new Uint8Array()) };
  const { promise: saved, resolve } = Promise.withResolvers<void>();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  const tap = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform(chunk, controller) {
      length += chunk.byteLength;
      if (length <= maxKeptBytes) chunks.push(chunk);
      controller.enqueue(chunk);
    },
    async flush() {
      if (length <= maxKeptBytes) await save(await new Blob(chunks).bytes());
      resolve();
    },
    cancel: () => resolve(),
  });
  return { response: new Response(reply.body.pipeThrough(tap), reply), saved };
}

/**
 * The kept reply of a payment.
 * @throws {Failure} `reply_not_kept`
 */
export async function replayReply(ledger: PaymentLedger, id: string): Promise<Response> {
  const kept = await ledger.findReply(id);
  if (kept === undefined) throw new Failure("reply_not_kept", id);
  return replay(kept);
}

/** As it was the first time. */
export function replay({ status, headers, body }: KeptReply): Response {
  const empty = status === 204 || status === 304 || body.byteLength === 0;
  return new Response(empty ? null : body, { status, headers: headers.map(([n, v]) => [n, v]) });
}
