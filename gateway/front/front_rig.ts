/** For tests: a front with a handler of the test's own, on a real socket. */
import { Failure, failureReply } from "../failures.ts";
import { Logger } from "../../store/log.ts";
import type { ByteSource } from "../http1/byte_source.ts";
import type { ClientRequest } from "./client_request.ts";
import { FrontServer } from "./front_server.ts";
import type { FrontSettings } from "./front_settings.ts";
import { RawClient } from "./raw_client.ts";
import { type Reply, textReply } from "./reply.ts";

/** Times that do not pass within a test, but for what they are replaced by. */
const patient: FrontSettings = {
  maxConnections: 1_000,
  headMs: 60_000,
  keepAliveMs: 60_000,
  idleMs: 60_000,
  clientRate: { graceMs: 60_000, bytesPerSecond: 0 },
  maxHeadBytes: 64 * 1024,
  lingerMs: 60_000,
  sweepMs: 5,
};

type Answer = (request: ClientRequest) => Reply | Promise<Reply>;

/** What the tests of the front are about. */
export class FrontRig implements AsyncDisposable {
  readonly server: FrontServer;
  /** Requests so far. */
  readonly received: ClientRequest[] = [];
  readonly log: Record<string, unknown>[] = [];
  readonly #clients: RawClient[] = [];
  #waiting: (() => void)[] = [];
  #drained: Promise<boolean> | undefined;

  /**
   * @param answer to each request; may throw
   * @param port any free one by default
   */
  constructor(answer: Answer, settings: Partial<FrontSettings> = {}, port = 0) {
    const handler = {
      answer: async (request: ClientRequest) => {
        this.received.push(request);
        for (const wake of this.#waiting.splice(0)) wake();
        try {
          return await answer(request);
        } catch (error) {
          return refuse(error);
        }
      },
      refuse,
    };
    const log = new Logger("debug", (line) => this.log.push(JSON.parse(line)));
    const listen = { hostname: "127.0.0.1", port };
    this.server = new FrontServer(listen, { ...patient, ...settings }, handler, log);
  }

  /** A client, which is closed at the end of the test. */
  async connect(): Promise<RawClient> {
    const client = await RawClient.connect(this.server.address.port);
    this.#clients.push(client);
    return client;
  }

  /** A client that has sent the text, a byte a character. */
  async sending(text: string): Promise<RawClient> {
    const client = await this.connect();
    await client.send(text);
    return client;
  }

  /** Sends the text and resolves with all that comes until the end of the connection. */
  async exchange(text: string): Promise<string> {
    return await (await this.sending(text)).rest();
  }

  /** Resolves with the request of that number (from 0) when it has come. */
  async request(number: number): Promise<ClientRequest> {
    while (this.received.length <= number) {
      await new Promise<void>((wake) => this.#waiting.push(wake));
    }
    return this.received[number]!;
  }

  /** Resolves when no connection is open any more; nobody tells of that but the count. */
  async emptied(): Promise<void> {
    while (this.server.connections > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  /** Only the first call counts. */
  drain(timeoutMs: number): Promise<boolean> {
    return this.#drained ??= this.server.drain(timeoutMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client[Symbol.dispose]();
    await this.drain(2_000);
  }
}

function refuse(error: unknown): Reply {
  return failureReply(Failure.from(error), "request-id");
}

/** A reply of one piece. */
export function ok(text = "ok"): Reply {
  return textReply(200, [["content-type", "text/plain"]], text);
}

/** A request without a body. */
export function get(path = "/", ...lines: string[]): string {
  return [`GET ${path} HTTP/1.1`, "host: a", ...lines].join("\r\n") + "\r\n\r\n";
}

/** A body of these pieces, which comes piece by piece; its length is announced if it is given. */
export function sourceOf(pieces: Iterable<string>, length?: number): ByteSource {
  const rest = pieces[Symbol.iterator]();
  const encoder = new TextEncoder();
  return {
    length,
    take: () => undefined,
    read() {
      const { value, done } = rest.next();
      return Promise.resolve(done ? null : encoder.encode(value));
    },
    cancel() {
      rest.return?.();
    },
  };
}
