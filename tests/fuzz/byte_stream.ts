import { Buffer } from "node:buffer";

/** One character a byte, unlike the label `latin1` of TextDecoder, which is another code page. */
export function toText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

export function toBytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "latin1"));
}

/** Reads a connection from the start on, so that whoever waits can also stop to wait. */
export class ByteStream {
  /** All that came and was not dropped. */
  text = "";
  /** Nothing more comes; `reset`: because the connection broke. */
  ended: "end" | "reset" | undefined;
  #changed = Promise.withResolvers<void>();

  constructor(readonly connection: Deno.TcpConn) {
    connection.setNoDelay();
    void this.#read();
  }

  /** @returns false when nothing came within the time (ms) */
  async more(timeoutMs: number): Promise<boolean> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), timeoutMs);
    });
    const result = await Promise.race([this.#changed.promise.then(() => true), late]);
    clearTimeout(timer);
    return result;
  }

  /** Forgets what stands before that offset. */
  drop(until: number): void {
    this.text = this.text.slice(until);
  }

  /** @returns false when the other side takes nothing any more */
  async write(text: string): Promise<boolean> {
    try {
      let rest = toBytes(text);
      while (rest.byteLength > 0) rest = rest.subarray(await this.connection.write(rest));
      return true;
    } catch {
      return false;
    }
  }

  async closeWrite(): Promise<void> {
    await this.connection.closeWrite().catch(() => {});
  }

  close(): void {
    try {
      this.connection.close();
    } catch {
      // closed before
    }
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(16 * 1024);
    while (this.ended === undefined) {
      try {
        const count = await this.connection.read(buffer);
        if (count === null) this.ended = "end";
        else this.text += toText(buffer.subarray(0, count));
      } catch {
        this.ended = "reset";
      }
      const { resolve } = this.#changed;
      if (this.ended === undefined) this.#changed = Promise.withResolvers<void>();
      resolve();
    }
  }
}
