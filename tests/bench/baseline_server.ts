/**
 * What the gateway is compared with. Usage: `baseline_server.ts backend | hello | reply FILE |
 * tuned-proxy URL`; prints the port. FILE is a PreparedReply as JSON.
 */
import type { PreparedReply } from "./raw_reply.ts";
import { createTunedProxy } from "./tuned_proxy.ts";

const bodies: Readonly<Record<string, string>> = {
  "/docs/0": "",
  "/docs/100k": "x".repeat(100 * 1024),
};
const kilobyte = "x".repeat(1024);

/** What nginx replies as a backend, for where there is none. */
function serveSizes(request: Request): Response {
  const path = request.url.slice(request.url.indexOf("/", "http://".length));
  if (path === "/docs/1g") return serveGigabyte();
  return new Response(bodies[path] ?? kilobyte);
}

function serveGigabyte(): Response {
  const piece = new Uint8Array(2 ** 18);
  let left = 2 ** 30;
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      controller.enqueue(piece);
      left -= piece.length;
      if (left === 0) controller.close();
    },
  });
  return new Response(stream, { headers: { "content-length": String(left) } });
}

/** The least that `Deno.serve` can take to send this reply. */
function createReplier({ status, headers, body }: PreparedReply): Deno.ServeHandler {
  const init = { status, headers: new Headers(headers.map(([name, value]) => [name, value])) };
  return () => new Response(body, init);
}

function handlerOf(kind: string, argument: string): Deno.ServeHandler {
  switch (kind) {
    case "backend":
      return serveSizes;
    case "hello":
      return () => new Response("hello");
    case "reply":
      return createReplier(JSON.parse(Deno.readTextFileSync(argument)));
    case "tuned-proxy":
      return createTunedProxy(argument);
  }
  throw new TypeError(`${kind} is not a baseline: see the usage`);
}

const [kind = "", argument = ""] = Deno.args;
const onListen = ({ port }: Deno.NetAddr) =>
  void Deno.stdout.writeSync(new TextEncoder().encode(`listening ${port}\n`));
Deno.serve({ hostname: "127.0.0.1", port: 0, onListen }, handlerOf(kind, argument));
