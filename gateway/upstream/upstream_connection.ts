import { ConnectionReader } from "../http1/connection_reader.ts";
import { writeAll } from "../http1/message_writer.ts";

const restingBytes = 16 * 1024;

/** One connection to a backend, and whether it may be used again. */
export class UpstreamConnection {
  readonly reader: ConnectionReader;
  /** Requests that were sent on it. */
  uses = 0;
  #closed = false;
  #onIdleEnd: (() => void) | undefined;

  /** @param onClose called once */
  constructor(
    private readonly connection: Deno.Conn,
    private readonly onClose: (connection: UpstreamConnection) => void,
  ) {
    this.reader = new ConnectionReader(connection, restingBytes);
  }

  /** It is open, and nothing has come that nobody asked for. */
  get isQuiet(): boolean {
    return !this.#closed && this.reader.available === 0 && !this.reader.ended;
  }

  /** @throws when the connection breaks */
  write(bytes: Uint8Array): Promise<void> {
    return writeAll(this.connection, bytes);
  }

  /**
   * Reads while nothing is expected: the end of the connection, or bytes that nobody asked for, are
   * how a backend shows that it is of no more use. So a closed connection is never used.
   * @param onEnd called when it happens before `wake`
   */
  rest(onEnd: () => void): void {
    this.#onIdleEnd = onEnd;
    this.reader.rest();
    const ended = () => this.#onIdleEnd?.();
    this.reader.fill().then(ended, ended);
  }

  /** The next request is about to be sent. */
  wake(): void {
    this.#onIdleEnd = undefined;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#onIdleEnd = undefined;
    try {
      this.connection.close();
    } catch {
      // closed by the runtime before
    }
    this.onClose(this);
  }
}
