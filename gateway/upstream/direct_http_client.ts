/** `unstable` option of Deno 2.9 that its types do not name yet. */
type ClientOptions = Deno.CreateHttpClientOptions & { readonly allowHost: true };

export type CreateHttpClient = (options: { poolMaxIdlePerHost?: number }) => Deno.HttpClient;

const proxyVariables = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"]
  .flatMap((name) => [name, name.toLowerCase()]);

/**
 * A client that connects to backends itself, speaks HTTP/1.1 and sends the Host it is given.
 *
 * A client takes the environment's proxies when it is created, and neither `proxy: null` nor
 * `NO_PROXY=*` stops that (Deno 2.9.6), so the variables are hidden for that moment. They may be
 * there for a good reason: the facilitator is outside the cluster, backends are inside.
 */
export function createDirectHttpClient(options: { poolMaxIdlePerHost?: number }): Deno.HttpClient {
  const hidden = proxyVariables.map((name) => [name, Deno.env.get(name)] as const);
  for (const [name] of hidden) Deno.env.delete(name);
  try {
    return createProxiedHttpClient(options);
  } finally {
    for (const [name, value] of hidden) if (value !== undefined) Deno.env.set(name, value);
  }
}

/** A client that goes through the environment's proxies, speaks HTTP/1.1 and sends the Host it is given. */
export function createProxiedHttpClient(options: { poolMaxIdlePerHost?: number }): Deno.HttpClient {
  const all: ClientOptions = { ...options, http2: false, allowHost: true };
  return Deno.createHttpClient(all);
}
