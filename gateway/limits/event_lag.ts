/** Between two looks, ms. */
const tickMs = 100;

type ProbeConnection = Pick<Deno.Conn, "read" | "write" | "close">;

/**
 * Measures how late the process is with what it should do: how late a timer goes off, and how long a
 * byte takes to arrive that it sends to itself. The timer alone does not tell: with thousands of busy
 * connections it is on time, while sockets are not read for seconds (measured), those of facilitators
 * and backends included. Costs nothing per request.
 */
export class EventLag {
  readonly #interval: ReturnType<typeof setInterval>;
  readonly #probing: Promise<void>;
  #connections: readonly ProbeConnection[] = [];
  #lookedAt = performance.now();
  /** When the byte was sent that is on its way. */
  #sentAt: number | undefined;
  /** From the last look to its arrival. */
  #probeMs = 0;
  #closed = false;

  /**
   * @param tell gets the lag of the last 100 ms, in ms
   * @param connect makes both ends of a connection
   */
  constructor(
    private readonly tell: (lagMs: number) => void,
    private readonly connect = connectToSelf,
  ) {
    this.#interval = setInterval(() => this.#tick(), tickMs);
    // Where there is no loopback interface, the timer has to do.
    this.#probing = this.#probe().catch(() => {});
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#interval);
    for (const connection of this.#connections) connection.close();
    await this.#probing;
  }

  #tick(): void {
    const now = performance.now();
    const timerMs = now - this.#lookedAt - tickMs;
    this.#lookedAt = now;
    // One that is still on its way is at least as late as it is old.
    const probeMs = this.#sentAt === undefined ? this.#probeMs : now - this.#sentAt;
    this.tell(Math.max(timerMs, probeMs, 0));
    const [near] = this.#connections;
    if (this.#sentAt !== undefined || near === undefined) return;
    this.#sentAt = now;
    near.write(new Uint8Array(1)).catch(() => {});
  }

  /** Ends with the connection. */
  async #probe(): Promise<void> {
    const [near, far] = this.#connections = await this.connect();
    if (this.#closed) return near.close(), far.close();
    const buffer = new Uint8Array(16);
    try {
      while (await far.read(buffer) !== null) {
        // What was told of it while it was on its way is not told again.
        this.#probeMs = performance.now() - this.#lookedAt;
        this.#sentAt = undefined;
      }
    } finally {
      // Without a connection there is nothing on its way.
      this.#connections = [];
      this.#sentAt = undefined;
      this.#probeMs = 0;
    }
  }
}

/** Both ends of a connection over the loopback interface. */
async function connectToSelf(): Promise<[near: ProbeConnection, far: ProbeConnection]> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const near = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  near.setNoDelay(true);
  for (;;) {
    const far = await listener.accept();
    // Somebody else may have found the port.
    if (far.remoteAddr.port === near.localAddr.port) return [near, far];
    far.close();
  }
}
