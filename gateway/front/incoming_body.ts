import { type BodyReader, bodyReader } from "../http1/body_reader.ts";
import type { ByteSource } from "../http1/byte_source.ts";
import type { ConnectionReader } from "../http1/connection_reader.ts";
import type { Framing } from "../http1/framing.ts";
import { MalformedMessage } from "../http1/malformed_message.ts";
import { Failure } from "../failures.ts";
import type { Deadline } from "./deadline.ts";

/** What is read of a body that nobody wants, so that the connection can go on, in bytes. */
const maxDiscardedBytes = 64 * 1024 * 1024;

/** The body of a request, on its way in. */
export class IncomingBody implements ByteSource {
  readonly length: number | undefined;
  readonly #body: BodyReader;
  #reading: Promise<unknown> | undefined;
  #cancelled: { readonly reason: unknown } | undefined;
  #broken = false;

  /**
   * @param askForIt sends `100 Continue` before the first read, where the client waits for it
   */
  constructor(
    reader: ConnectionReader,
    framing: Framing,
    private readonly deadline: Deadline,
    private readonly idleMs: number,
    private askForIt: (() => Promise<void>) | undefined,
    onEnd: () => void,
  ) {
    this.#body = bodyReader(reader, framing, (clean) => clean ? onEnd() : this.#broken = true);
    this.length = this.#body.length;
    deadline.beginBody();
  }

  /** The client waits to be asked for it, and has not been. */
  get isAwaited(): boolean {
    return this.askForIt !== undefined;
  }

  /** It broke off, or was no body: nothing that follows on the connection can be read. */
  get isBroken(): boolean {
    return this.#broken;
  }

  take(): Uint8Array | undefined {
    const bytes = this.#cancelled ? undefined : this.#body.take();
    // It came unasked.
    if (bytes !== undefined) this.askForIt = undefined;
    return bytes;
  }

  /** @throws {Failure} `request_timeout`, `invalid_request` when it breaks off */
  async read(): Promise<Uint8Array | null> {
    if (this.#cancelled) throw this.#cancelled.reason;
    const reading = this.#read();
    this.#reading = reading.catch(() => {});
    const bytes = await reading;
    if (this.#cancelled) throw (this.#cancelled as { readonly reason: unknown }).reason;
    return bytes;
  }

  async #read(): Promise<Uint8Array | null> {
    try {
      const ask = this.askForIt;
      this.askForIt = undefined;
      await ask?.();
      return await this.#readInTime();
    } catch (error) {
      if (error instanceof MalformedMessage) {
        throw new Failure("invalid_request", error.message, { cause: error });
      }
      const detail = `the request body broke off: ${(error as Error).message}`;
      throw new Failure("request_timeout", detail, { cause: error });
    }
  }

  async #readInTime(): Promise<Uint8Array | null> {
    let moved = 0;
    this.deadline.waitForClient(this.idleMs);
    try {
      const bytes = await this.#body.read();
      moved = bytes?.byteLength ?? 0;
      return bytes;
    } finally {
      this.deadline.clientMoved(moved);
    }
  }

  /** The rest is for `discard`: the connection is not broken off, a reply may still be on its way. */
  cancel(reason: unknown): void {
    this.#cancelled ??= { reason };
  }

  /**
   * Reads what is left of it for nobody.
   * @returns whether the next request may follow
   */
  async discard(): Promise<boolean> {
    this.cancel(new Error("the request is over"));
    await this.#reading;
    if (this.#broken || this.isAwaited) return false;
    // What the client took of the reply is no credit for sending slowly.
    this.deadline.beginBody();
    let left = maxDiscardedBytes;
    try {
      for (let bytes; !this.#body.ended && (bytes = await this.#read()) !== null;) {
        left -= bytes.byteLength;
        if (left < 0) return false;
      }
    } catch {
      return false;
    }
    return true;
  }
}
