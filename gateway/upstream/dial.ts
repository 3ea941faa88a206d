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
 * @param onGone called once if it fails, when nothing is left of the attempt. A TLS handshake cannot be
 * called off: its socket stays open until the backend ends it, also when it is closed here (measured,
 * Deno 2.9.6), so a backend that hangs must not be dialed again and again.
 * @throws {UpstreamFailure} `upstream_unreachable`, `upstream_timeout`; the abort's reason
 */
export async function dial(
  origin: string,
  { connectMs, caCerts }: DialSettings,
  abort: Abort,
  onGone: () => void,
): Promise<Deno.Conn> {
  const { protocol, hostname, port } = new URL(origin);
  // The brackets of an IPv6 address belong to the URL.
  const host = hostname.replace(/^\[|\]$/g, "");
  const cancel = new AbortController();
  const { promise: ended, reject: end } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    end(new UpstreamFailure("upstream_timeout", "no connection in time", "no"));
  }, connectMs);
  abort.onAbort = end;
  const connecting = protocol === "https:"
    ? connectTls(host, Number(port || 443), cancel.signal, caCerts)
    : connect(host, Number(port || 80), cancel.signal);
  try {
    return await Promise.race([connecting, ended]);
  } catch (error) {
    // What does not answer would be tried for minutes more.
    cancel.abort();
    // One that comes too late is nobody's.
    connecting.then((connection) => connection.close(), () => {}).finally(onGone);
    if (abort.aborted) throw abort.reason;
    if (error instanceof UpstreamFailure) throw error;
    const { message } = error as Error;
    throw new UpstreamFailure("upstream_unreachable", message, "no", { cause: error });
  } finally {
    clearTimeout(timer);
    abort.onAbort = undefined;
  }
}

/** Tries all addresses of a name (RFC 8305), which the runtime does. */
async function connect(
  hostname: string,
  port: number,
  signal: AbortSignal,
): Promise<Deno.TcpConn> {
  const connection = await Deno.connect({ hostname, port, signal });
  connection.setNoDelay(true);
  return connection;
}

async function connectTls(
  hostname: string,
  port: number,
  signal: AbortSignal,
  caCerts: readonly string[],
): Promise<Deno.TlsConn> {
  const plain = await connect(hostname, port, signal);
  const alpnProtocols = ["http/1.1"];
  const connection = await Deno.startTls(plain, { hostname, caCerts: [...caCerts], alpnProtocols });
  try {
    // Else a certificate that is not trusted would be noticed by the first read, as a broken reply.
    await connection.handshake();
  } catch (error) {
    connection.close();
    throw error;
  }
  return connection;
}
