import { Failure } from "../failures.ts";
import type { ByteSource } from "../http1/byte_source.ts";
import type { ReadableFields } from "../http1/header_fields.ts";

/** Bytes; absent means unlimited. */
export interface UploadLimits {
  /** Of bodies whose length is not announced. */
  readonly maxChunkedBodyBytes: number;
  readonly maxBodyBytes?: number;
}

/** A request body on its way to the backend, counted. */
export class Upload implements ByteSource {
  readonly length: number | undefined;
  /** Nothing but the client keeps it from going on. */
  isAwaited = false;
  /** Why it broke off: the transport reports only that it did. */
  failure: unknown;
  #sent = 0;

  /** @param onActivity called for every chunk: a slow upload is not a silent backend */
  constructor(
    private readonly source: ByteSource,
    private readonly limit: number,
    private readonly onActivity: () => void,
  ) {
    this.length = source.length;
  }

  take(): Uint8Array | undefined {
    try {
      return this.source.take();
    } catch (error) {
      this.failure ??= error;
      throw error;
    }
  }

  async read(): Promise<Uint8Array | null> {
    this.isAwaited = true;
    try {
      const bytes = await this.source.read();
      this.onActivity();
      if (bytes !== null) this.#count(bytes.byteLength);
      return bytes;
    } catch (error) {
      this.failure ??= error;
      throw error;
    } finally {
      this.isAwaited = false;
    }
  }

  cancel(reason: unknown): void {
    this.source.cancel(reason);
  }

  #count(bytes: number): void {
    this.#sent += bytes;
    if (this.#sent > this.limit) throw bodyTooLarge(this.limit);
  }
}

/**
 * The most bytes that the body may have.
 * @throws {Failure} `body_too_large` when it is announced to have more
 */
export function checkAnnouncedLength(headers: ReadableFields, limits: UploadLimits): number {
  const length = headers.get("content-length");
  const chunkedLimit = length === null ? limits.maxChunkedBodyBytes : Infinity;
  const limit = Math.min(chunkedLimit, limits.maxBodyBytes ?? Infinity);
  if (Number(length) > limit) throw bodyTooLarge(limit);
  return limit;
}

function bodyTooLarge(limit: number): Failure {
  return new Failure("body_too_large", `the request body has more than ${limit} bytes`);
}
