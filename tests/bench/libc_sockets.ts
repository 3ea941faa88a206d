/**
 * TCP sockets of the C library. A request and its reply cost three system calls and next to nothing
 * else: as much as in a generator written in C, and 0.7 times as much as with `Deno.connect`.
 */

// Sizes and counts are declared with 32 bits although C has 64: BigInts would cost more than the
// calls. Both calling conventions (x86-64, AArch64) leave zeros in the upper half.
const libc = Deno.dlopen("libc.so.6", {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  send: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  recv: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  epoll_create1: { parameters: ["i32"], result: "i32" },
  epoll_ctl: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  epoll_wait: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32" },
}).symbols;

/** `struct epoll_event` is packed on x86-64 only (epoll_ctl(2)). */
const event = Deno.build.arch === "x86_64"
  ? { bytes: 12, dataAt: 4 } as const
  : { bytes: 16, dataAt: 8 } as const;
const inetFamily = 2, streamType = 1, readable = 1, addToSet = 1, noSignal = 0x4000;

/** Sockets that readable ones are waited for among. One thread blocks in it, which is the point. */
export class LibcSockets implements Disposable {
  /** What `receive` has read. */
  readonly received: Uint8Array = new Uint8Array(256 * 1024);
  readonly #set = mustWork(libc.epoll_create1(0), "epoll_create1");
  readonly #sockets: number[] = [];
  readonly #events: DataView<ArrayBuffer>;

  /** @param most sockets that it will hold */
  constructor(private readonly most: number) {
    this.#events = new DataView(new ArrayBuffer(most * event.bytes));
  }

  /** Connects to a port of 127.0.0.1; returns the socket's number. */
  connect(port: number): number {
    const socket = mustWork(libc.socket(inetFamily, streamType, 0), "socket");
    this.#sockets.push(socket);
    const address = new DataView(new ArrayBuffer(16));
    address.setUint16(0, inetFamily, true);
    address.setUint16(2, port);
    address.setUint32(4, 0x7f000001);
    mustWork(libc.connect(socket, address.buffer, 16), `connecting to port ${port}`);
    const wanted = new DataView(new ArrayBuffer(event.bytes));
    wanted.setUint32(0, readable, true);
    wanted.setUint32(event.dataAt, socket, true);
    mustWork(libc.epoll_ctl(this.#set, addToSet, socket, wanted.buffer), "epoll_ctl");
    return socket;
  }

  /** Blocks until sockets are readable; returns how many. 0 after `timeout` ms. */
  wait(timeout: number): number {
    return mustWork(
      libc.epoll_wait(this.#set, this.#events.buffer, this.most, timeout),
      "epoll_wait",
    );
  }

  /** The readable socket at `index` of the last `wait`. */
  ready(index: number): number {
    return this.#events.getUint32(index * event.bytes + event.dataAt, true);
  }

  /** Sends all of the bytes, which have to fit into the buffer of the socket. */
  send(socket: number, bytes: Uint8Array<ArrayBuffer>): void {
    const sent = libc.send(socket, bytes, bytes.length, noSignal);
    if (sent !== bytes.length) throw new Error(`Only ${sent} of ${bytes.length} bytes were sent.`);
  }

  /** Reads into `received`; returns how many bytes, at most 0 when the connection has ended. */
  receive(socket: number): number {
    return libc.recv(socket, this.received as Uint8Array<ArrayBuffer>, this.received.length, 0);
  }

  [Symbol.dispose](): void {
    for (const socket of this.#sockets) libc.close(socket);
    libc.close(this.#set);
  }
}

function mustWork(result: number, what: string): number {
  if (result < 0) throw new Error(`${what} failed.`);
  return result;
}
