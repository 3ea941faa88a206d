/** A backend that tells who it is. */
export interface Backend extends AsyncDisposable {
  readonly port: number;
}

/** Answers every request with its name. */
export function startBackend(name: string): Backend {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response(name),
  );
  return {
    port: server.addr.port,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
