/**
 * The backend of what nginx cannot serve from a file. `GET` gets server-sent events, one a
 * millisecond; a request with a body gets its length once all of it is there. Prints its port.
 */

/** Events of a stream, and ms between two of them: a proxy that collects them is found out. */
const events = 10, pace = 1;

const encoder = new TextEncoder();
const latin1 = new TextDecoder("latin1");
const streamHead = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n" +
  "cache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n";
const event = chunk(`data: ${"x".repeat(100)}\n\n`);
const first = encoder.encode(streamHead + event);
const next = encoder.encode(event);
const last = encoder.encode(chunk(""));

function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

async function serve(connection: Deno.Conn): Promise<void> {
  using _ = connection;
  const buffer = new Uint8Array(256 * 1024);
  let head = "";
  for (;;) {
    const count = await connection.read(buffer);
    if (count === null) return;
    head += latin1.decode(buffer.subarray(0, count));
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) continue;
    const fields = head.slice(0, end + 2);
    const body = head.slice(end + 4);
    head = "";
    if (fields.startsWith("GET ")) await sendEvents(connection);
    else await takeBody(connection, fields, body, buffer);
  }
}

async function sendEvents(connection: Deno.Conn): Promise<void> {
  await connection.write(first);
  for (let sent = 1; sent < events; sent++) {
    await new Promise((resolve) => setTimeout(resolve, pace));
    await connection.write(next);
  }
  await connection.write(last);
}

async function takeBody(
  connection: Deno.Conn,
  fields: string,
  begun: string,
  buffer: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const length = /\r\ncontent-length: (\d+)\r\n/i.exec(fields)?.[1];
  let taken = begun.length;
  let tail = begun.slice(-7);
  const isWhole = () => length === undefined ? tail === "\r\n0\r\n\r\n" : taken >= Number(length);
  while (!isWhole()) {
    const count = await connection.read(buffer);
    if (count === null) throw new Error(`The body ended after ${taken} bytes.`);
    taken += count;
    tail = (tail + latin1.decode(buffer.subarray(Math.max(0, count - 7), count))).slice(-7);
  }
  const reply = String(taken);
  const lines = `HTTP/1.1 200 OK\r\ncontent-length: ${reply.length}\r\n\r\n${reply}`;
  await connection.write(encoder.encode(lines));
}

const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
Deno.stdout.writeSync(encoder.encode(`listening ${listener.addr.port}\n`));
for await (const connection of listener) {
  connection.setNoDelay();
  // A proxy may drop its connection at any time.
  void serve(connection).catch(() => {});
}
