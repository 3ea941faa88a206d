/**
 * The backend of the soak in a process of its own, so that it can be killed. Usage:
 * `backend_process.ts PORT`; prints `listening`, and `ran LABEL` for each request with an
 * `x-call-label`, before it is answered.
 *
 * | path | answer |
 * |---|---|
 * | `/download?bytes=N` | so much of the pattern, with a Content-Length; `&chunked` without; `&pace=MS` between pieces |
 * | `/upload` | `{"bytes", "intact"}` of the body, which has to be the pattern |
 * | `/events?count=N&interval=MS` | server-sent events |
 * | `/socket` | WebSocket that echoes |
 * | anything else | `{"method", "target", "label"}` |
 */
import { isPatternAt, patternAt } from "./byte_pattern.ts";
import { pause } from "./pause.ts";

const port = Number(Deno.args[0]);

Deno.serve({ hostname: "127.0.0.1", port, onListen: () => say("listening") }, async (request) => {
  const { pathname, search, searchParams } = new URL(request.url);
  const label = request.headers.get("x-call-label");
  if (label !== null) say(`ran ${label}`);
  const number = (name: string) => Number(searchParams.get(name));
  switch (pathname) {
    case "/download":
      return download(number("bytes"), searchParams.has("chunked"), number("pace"));
    case "/upload":
      return Response.json(await upload(request));
    case "/events":
      return events(number("count"), number("interval"));
    case "/socket":
      return echo(request);
  }
  await request.body?.cancel();
  return Response.json({ method: request.method, target: pathname + search, label });
});

/** At once, so that it is said even if the process is killed a moment later. */
function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

function download(length: number, chunked: boolean, paceMs: number): Response {
  let at = 0;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (paceMs > 0) await pause(paceMs);
      const piece = patternAt(at, Math.min(length - at, 32 * 1024));
      at += piece.length;
      controller.enqueue(piece.slice());
      if (at >= length) controller.close();
    },
  });
  return new Response(body, chunked ? {} : { headers: { "content-length": String(length) } });
}

async function upload({ body }: Request): Promise<{ bytes: number; intact: boolean }> {
  let bytes = 0;
  let intact = true;
  for await (const piece of body ?? []) {
    intact &&= isPatternAt(bytes, piece);
    bytes += piece.length;
  }
  return { bytes, intact };
}

function events(count: number, intervalMs: number): Response {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      let sent = 0;
      const send = () => {
        controller.enqueue(new TextEncoder().encode(`data: ${++sent}\n\n`));
        if (sent < count) timer = setTimeout(send, intervalMs);
        else controller.close();
      };
      send();
    },
    cancel: () => clearTimeout(timer),
  });
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}

function echo(request: Request): Response {
  const { socket, response } = Deno.upgradeWebSocket(request);
  socket.onmessage = ({ data }) => socket.send(data);
  // A client that is gone is no fault of the backend.
  socket.onerror = (event) => event.preventDefault();
  return response;
}
