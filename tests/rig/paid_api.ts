/** What the API received, as far as `Deno.serve` shows it. */
export interface ReceivedRequest {
  readonly method: string;
  /** Path and query exactly as they were on the wire. */
  readonly target: string;
  /** Lower-case names; repeated names are joined with ", ". */
  readonly headers: Readonly<Record<string, string>>;
  /** The body as text; empty for streams that the API does not read. */
  readonly body: string;
}

/** The small backend that gets paid for: it answers, and remembers every call. */
export interface PaidApi extends AsyncDisposable {
  /** Without a trailing slash. */
  readonly url: string;
  readonly port: number;
  /** Every request so far, in order of arrival. */
  readonly received: readonly ReceivedRequest[];
  /** How often a path (without query) was called, or a request with this `x-call-label`. */
  calls(of: { readonly path: string } | { readonly label: string }): number;
}

/**
 * Starts the API on `port` (0: a free one) of the loopback interface.
 *
 * | path | answer |
 * |---|---|
 * | `/api/weather` | a small JSON document |
 * | `/stream?events=3&interval=100` | server-sent events, one every `interval` ms; 0 events: endless |
 * | `/slow?ms=500` | `{"slept": 500}` after that time |
 * | `/socket` | WebSocket that echoes |
 * | anything else | the request as JSON ({@link ReceivedRequest}) |
 *
 * `?status=503` gives any of the HTTP answers that status.
 */
export function startPaidApi(port = 0): PaidApi {
  const received: ReceivedRequest[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port, onListen: () => {} },
    async (request) => {
      const call = await receive(request);
      received.push(call);
      return await answer(request, call);
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    port: server.addr.port,
    received,
    calls: (of) =>
      received.filter(({ target, headers }) =>
        "path" in of ? pathOf(target) === of.path : headers["x-call-label"] === of.label
      ).length,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

async function receive(request: Request): Promise<ReceivedRequest> {
  const { method, url, headers } = request;
  const target = url.slice(url.indexOf("/", url.indexOf("//") + 2));
  const body = headers.has("upgrade") ? "" : await request.text();
  return { method, target, headers: Object.fromEntries(headers), body };
}

async function answer(request: Request, call: ReceivedRequest): Promise<Response> {
  const path = pathOf(call.target);
  const query = new URLSearchParams(call.target.slice(path.length));
  const status = Number(query.get("status") ?? 200);
  if (path === "/socket" && request.headers.has("upgrade")) return echoSocket(request);
  if (path === "/stream") {
    const events = Number(query.get("events") ?? 3) || Infinity;
    return eventStream(events, Number(query.get("interval") ?? 100), status);
  }
  if (path === "/slow") {
    const slept = Number(query.get("ms") ?? 500);
    await new Promise((resolve) => setTimeout(resolve, slept));
    return Response.json({ slept }, { status });
  }
  if (path === "/api/weather") {
    const weather = { city: "Lisbon", temperatureCelsius: 21, sky: "clear" };
    return Response.json(weather, { status });
  }
  return Response.json(call, { status });
}

function eventStream(events: number, interval: number, status: number): Response {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stream = new ReadableStream<string>({
    start(controller) {
      let sent = 0;
      const send = () => {
        controller.enqueue(`id: ${++sent}\ndata: {"tick":${sent}}\n\n`);
        if (sent < events) timer = setTimeout(send, interval);
        else controller.close();
      };
      send();
    },
    cancel: () => clearTimeout(timer),
  });
  const headers = { "content-type": "text/event-stream", "cache-control": "no-cache" };
  return new Response(stream.pipeThrough(new TextEncoderStream()), { status, headers });
}

function echoSocket(request: Request): Response {
  const { socket, response } = Deno.upgradeWebSocket(request);
  socket.onmessage = ({ data }) => socket.send(data);
  return response;
}

function pathOf(target: string): string {
  return target.split("?", 1)[0]!;
}
