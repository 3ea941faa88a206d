import type { Abort } from "./abort.ts";
import { UpstreamFailure } from "./transport.ts";

export interface DialSettings {
  /** For the connection, the TLS handshake included; ms. */
  readonly connectMs: number;
  /** PEM certificates that are trusted besides the public ones. */
  readonly caCerts: readonly string[];
}

/**
 * Connects to an origin such as `http://10.0.0.1:8080`, never through a proxy of the environment.
 * @throws {UpstreamFailure} `upstream_unreachable`, `upstream_timeout`; the abort's reason
 */
export async function dial(
  origin: string,
  { connectMs, caCerts }: DialSettings,
  abort: Abort,
): Promise<Deno.Conn> {
  const { protocol, hostname, port } = new URL(origin);
  // The brackets of an IPv6 address belong to the URL.
  const host = hostname.replace(/^\[|\]$/g, "");
  const { promise: ended, reject: end } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    end(new UpstreamFailure("upstream_timeout", "no connection in time", "no"));
  }, connectMs);
  abort.onAbort = end;
  const connecting = protocol === "https:"
    ? connectTls(host, Number(port || 443), caCerts)
    : connect(host, Number(port || 80));
  try {
    return await Promise.race([connecting, ended]);
  } catch (error) {
    // One that comes too late is nobody's.
    connecting.then((connection) => connection.close(), () => {});
    if (abort.aborted || error instanceof UpstreamFailure) throw error;
    const { message } = error as Error;
    throw new UpstreamFailure("upstream_unreachable", message, "no", { cause: error });
  } finally {
    clearTimeout(timer);
    abort.onAbort = undefined;
  }
}

async function connect(hostname: string, port: number): Promise<Deno.Conn> {
  const connection = await Deno.connect({ hostname, port });
  connection.setNoDelay(true);
  return connection;
}

async function connectTls(
  hostname: string,
  port: number,
  caCerts: readonly string[],
): Promise<Deno.Conn> {
  const alpnProtocols = ["http/1.1"];
  const connection = await Deno.connectTls({
    hostname,
    port,
    caCerts: [...caCerts],
    alpnProtocols,
  });
  try {
    // Else a certificate that is not trusted would be noticed by the first read, as a broken reply.
    await connection.handshake();
  } catch (error) {
    connection.close();
    throw error;
  }
  return connection;
}
