import { KubeClient, type RequestObserver } from "./kube_client.ts";

/** A request as the scripted server got it. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Headers;
  readonly body: string;
}

type Answer = (request: Received) => Response | Promise<Response>;

/**
 * Stands in for the API server where a test needs faults that a real one cannot be made to show.
 * The nth request gets the nth answer, and the last one goes to all that follow.
 */
export class ScriptedApiServer implements AsyncDisposable {
  readonly received: Received[] = [];
  /** What `forgetHeaders` was called for so far. */
  forgotten = 0;
  readonly client: KubeClient;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #http = Deno.createHttpClient({ http2: false });
  #arrived = Promise.withResolvers<void>();

  constructor(answers: readonly Answer[], observe?: RequestObserver) {
    this.#server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen() {} },
      async (request) => {
        const { pathname, searchParams } = new URL(request.url);
        const { method, headers } = request;
        const body = await request.text();
        const received = { method, path: pathname, query: searchParams, headers, body };
        const answer = answers[Math.min(this.received.length, answers.length - 1)]!;
        this.received.push(received);
        this.#arrived.resolve();
        this.#arrived = Promise.withResolvers();
        return answer(received);
      },
    );
    const connection = {
      server: `http://127.0.0.1:${this.#server.addr.port}`,
      namespace: "default",
      client: this.#http,
      headers: () =>
        Promise.resolve([["authorization", `Bearer ${this.forgotten}`]] as [[string, string]]),
      forgetHeaders: () => void this.forgotten++,
    };
    this.client = new KubeClient(connection, "test/1", observe);
  }

  /** Resolves with the nth request, counted from 0, once it has come. */
  async request(n: number): Promise<Received> {
    while (this.received.length <= n) await this.#arrived.promise;
    return this.received[n]!;
  }

  /** No longer accepts anything, and waits for what it has begun. */
  async stop(): Promise<void> {
    await this.#server.shutdown();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.close();
    await this.stop();
  }
}

/** A Status as the API server words it. */
export function status(code: number, reason: string, headers: HeadersInit = {}): Response {
  const message = `the message of ${reason}`;
  return Response.json({ kind: "Status", code, reason, message }, { status: code, headers });
}

/** A page of a list of Services, or all of it. */
export function list(version: number, items: readonly object[], more?: string): Response {
  return Response.json({
    apiVersion: "v1",
    kind: "ServiceList",
    metadata: { resourceVersion: `${version}`, ...(more === undefined ? {} : { continue: more }) },
    items,
  });
}

/** A Service of the namespace `shop`, without the fields that say what it is. */
export function object(name: string, version: number): object {
  return { metadata: { namespace: "shop", name, resourceVersion: `${version}` } };
}

export function event(type: string, object: object): object {
  return { type, object };
}

/** A watch with these events that then stays open, silently, for as long as the client does. */
export function silent(...events: readonly object[]): Response {
  return new Response(
    new ReadableStream({
      start(controller) {
        // A reply's head goes out with its first bytes: an event has to wait for none.
        controller.enqueue(lines(events));
      },
    }),
  );
}

/** A watch that ends after these events. */
export function ended(...events: readonly object[]): Response {
  return new Response(lines(events));
}

function lines(events: readonly object[]): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(events.map((event) => JSON.stringify(event) + "\n").join(""));
}
