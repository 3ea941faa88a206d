/** A reply that a server is to repeat byte by byte. */
export interface PreparedReply {
  readonly status: number;
  /** In their order, without those that every server adds by itself. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** Headers that `Deno.serve` makes, or that are about the connection. */
const madeByServer = new Set(["content-length", "date", "connection", "keep-alive"]);

/** The reply to `GET path` from a port of 127.0.0.1, read off the wire: `fetch` would change it. */
export async function rawReply(port: number, host: string, path: string): Promise<PreparedReply> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const request = `GET ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`;
  await connection.write(new TextEncoder().encode(request));
  const text = await new Response(connection.readable).text();
  const end = text.indexOf("\r\n\r\n");
  const [statusLine = "", ...lines] = text.slice(0, end).split("\r\n");
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  return {
    status: Number(statusLine.split(" ")[1]),
    headers: headers.filter(([name]) => !madeByServer.has(name.toLowerCase())),
    body: text.slice(end + 4),
  };
}
