import type { Hold, PaymentLedger } from "../../store/ledger/payment_ledger.ts";
import type { KeptReply } from "../../store/ledger/payment_record.ts";
import type { Logger } from "../../store/log.ts";
import { Failure } from "../failures.ts";
import { isSource, Reply } from "../front/reply.ts";
import { type ByteSource, joinBytes } from "../http1/byte_source.ts";
import { HeaderFields } from "../http1/header_fields.ts";

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
  reply: Reply,
  log: Logger,
): { readonly response: Reply; readonly saved: Promise<void> } {
  const { status, body } = reply;
  if (status === 101) return { response: reply, saved: Promise.resolve() };
  const headers = [...reply.headers];
  const save = (bytes: Uint8Array<ArrayBuffer>) =>
    ledger.keepReply(hold, { status, headers, body: bytes }).catch((error) =>
      log.warn("reply not kept", { payment: hold.id, reason: (error as Error).message })
    );
  if (!isSource(body)) {
    const whole = typeof body === "string" ? utf8.encode(body) : body?.slice() ?? new Uint8Array();
    return { response: reply, saved: save(whole) };
  }
  const { promise: saved, resolve } = Promise.withResolvers<void>();
  const kept = new KeptBody(
    body,
    (bytes) => bytes === undefined ? resolve() : save(bytes).then(resolve),
  );
  return { response: reply.withBody(kept), saved };
}

const utf8 = new TextEncoder();

/** A body that is remembered while it is read. */
class KeptBody implements ByteSource {
  readonly length: number | undefined;
  #chunks: Uint8Array<ArrayBuffer>[] = [];
  #bytes = 0;

  /** @param onEnd gets all of it; nothing where it is too long, or broke off */
  constructor(
    private readonly source: ByteSource,
    private readonly onEnd: (bytes: Uint8Array<ArrayBuffer> | undefined) => void,
  ) {
    this.length = source.length;
  }

  take(): Uint8Array | undefined {
    const bytes = this.source.take();
    if (bytes === undefined) return undefined;
    this.#keep(bytes);
    this.#end();
    return bytes;
  }

  async read(): Promise<Uint8Array | null> {
    let bytes: Uint8Array | null;
    try {
      bytes = await this.source.read();
    } catch (error) {
      this.onEnd(undefined);
      throw error;
    }
    if (bytes === null) this.#end();
    else this.#keep(bytes);
    return bytes;
  }

  cancel(reason: unknown): void {
    this.source.cancel(reason);
    this.onEnd(undefined);
  }

  #keep(bytes: Uint8Array): void {
    this.#bytes += bytes.byteLength;
    if (this.#bytes <= maxKeptBytes) this.#chunks.push(bytes.slice());
    else this.#chunks = [];
  }

  #end(): void {
    const isKept = this.#bytes <= maxKeptBytes;
    this.onEnd(isKept ? joinBytes(this.#chunks, this.#bytes) : undefined);
  }
}

/**
 * The kept reply of a payment.
 * @throws {Failure} `reply_not_kept`
 */
export async function replayReply(ledger: PaymentLedger, id: string): Promise<Reply> {
  const kept = await ledger.findReply(id);
  if (kept === undefined) throw new Failure("reply_not_kept", id);
  return replay(kept);
}

/** As it was the first time. */
export function replay({ status, headers, body }: KeptReply): Reply {
  const fields = HeaderFields.of(headers);
  return new Reply({ status, headers: fields, body: body.byteLength === 0 ? null : body });
}
