/** `unstable` option of Deno 2.9 that its types do not name yet. */
type ClientOptions = Deno.CreateHttpClientOptions & { readonly allowHost: true };

const connectionHeaders = new Set(["connection", "keep-alive", "transfer-encoding", "upgrade"]);

/**
 * The least that a proxy through `fetch` can cost: header lines as pairs instead of Headers, no
 * `new URL`, a client that speaks only HTTP/1.1 and sends the Host it is given, and bodies that
 * pass as streams which JavaScript never reads. It does nothing else: what the gateway costs on top
 * of it is the price of matching, checks and timeouts.
 */
export function createTunedProxy(backend: string): Deno.ServeHandler {
  const options: ClientOptions = { http2: false, allowHost: true };
  const client = Deno.createHttpClient(options);
  return async (request) => {
    const { headers, method, url } = request;
    // An accept-encoding that is exactly "identity" keeps fetch from decoding the reply.
    const lines = withoutConnection(headers, [["accept-encoding", "identity"]]);
    const reply = await fetch(backend + url.slice(url.indexOf("/", "http://".length)), {
      method,
      headers: lines,
      body: request.body,
      redirect: "manual",
      client,
    });
    const { status, body } = reply;
    return new Response(body, { status, headers: withoutConnection(reply.headers, []) });
  };
}

function withoutConnection(headers: Headers, lines: [string, string][]): [string, string][] {
  for (const line of headers) if (!connectionHeaders.has(line[0])) lines.push(line);
  return lines;
}
