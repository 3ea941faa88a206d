/** The backend of these tests: it takes whole requests, and can be slow or never end. */
export interface HardeningBackend extends AsyncDisposable {
  readonly port: number;
  /** Paths of the requests that have arrived with all of their body. */
  readonly whole: readonly string[];
}

/**
 * | path | answer |
 * |---|---|
 * | `.../slow?ms=500` | after that time |
 * | `.../endless` | as many bytes as anybody takes |
 * | anything else | `{"path", "bytes"}`: how many the request's body had |
 */
export function startHardeningBackend(): HardeningBackend {
  const whole: string[] = [];
  const server = Deno.serve(
    // Requests break off: that is what these tests are about.
    {
      hostname: "127.0.0.1",
      port: 0,
      onListen() {},
      onError: () => new Response(null, { status: 500 }),
    },
    async (request) => {
      const { pathname, searchParams } = new URL(request.url);
      if (pathname.endsWith("/endless")) return new Response(endless());
      const { byteLength: bytes } = await request.arrayBuffer();
      whole.push(pathname);
      const ms = Number(searchParams.get("ms") ?? 0);
      if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
      return Response.json({ path: pathname, bytes });
    },
  );
  return { port: server.addr.port, whole, [Symbol.asyncDispose]: () => server.shutdown() };
}

function endless(): ReadableStream<Uint8Array<ArrayBuffer>> {
  const piece = new Uint8Array(64 * 1024);
  return new ReadableStream({ pull: (controller) => controller.enqueue(piece) });
}
