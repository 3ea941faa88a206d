/**
 * What the gateway is compared with, and the backend behind it. Usage:
 * `baseline_server.ts hello | backend | naive-proxy URL | tuned-proxy URL`; prints the port.
 */
import { createTunedProxy } from "./tuned_proxy.ts";

const body = "x".repeat(1024);

/** A proxy as one would first write it. */
function createNaiveProxy(backend: string): Deno.ServeHandler {
  return async (request) => {
    const { pathname, search } = new URL(request.url);
    const headers = new Headers(request.headers);
    headers.delete("connection");
    const reply = await fetch(new URL(pathname + search, backend), {
      method: request.method,
      headers,
      body: request.body,
      redirect: "manual",
    });
    return new Response(reply.body, { status: reply.status, headers: new Headers(reply.headers) });
  };
}

function handlerOf(kind: string, backend: string): Deno.ServeHandler {
  switch (kind) {
    case "hello":
      return () => new Response("hello");
    case "backend":
      return () => new Response(body);
    case "naive-proxy":
      return createNaiveProxy(backend);
    case "tuned-proxy":
      return createTunedProxy(backend);
  }
  throw new TypeError(`${kind} is not a baseline: it has to be hello, backend or a proxy`);
}

const [kind = "", backend = ""] = Deno.args;
const onListen = ({ port }: Deno.NetAddr) =>
  void Deno.stdout.writeSync(new TextEncoder().encode(`listening ${port}\n`));
Deno.serve({ hostname: "127.0.0.1", port: 0, onListen }, handlerOf(kind, backend));
