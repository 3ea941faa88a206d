import type { ConnectionReader } from "../http1/connection_reader.ts";
import { writeAll } from "../http1/message_writer.ts";
import type { Deadline } from "./deadline.ts";
import type { UpgradedConnection } from "./upgraded_connection.ts";

/**
 * Passes bytes both ways until one side ends. Each waits for the other, so neither fills the memory.
 * @param reader of the client, which may have sent more than its handshake
 * @param idleMs longest silence of both together
 */
export async function runTunnel(
  client: Deno.Conn,
  reader: ConnectionReader,
  backend: UpgradedConnection,
  deadline: Deadline,
  idleMs: number,
): Promise<void> {
  const touch = () => deadline.set(idleMs);
  try {
    // A WebSocket ends by messages: a side that sends no more bytes is not there any more.
    await Promise.race([fromClient(reader, backend, touch), toClient(client, backend, touch)]);
  } catch {
    // whoever is left is closed
  } finally {
    backend.close();
  }
}

async function fromClient(
  reader: ConnectionReader,
  backend: UpgradedConnection,
  touch: () => void,
): Promise<void> {
  do {
    const bytes = reader.consume(Infinity);
    if (bytes.byteLength > 0) await backend.write(bytes);
    touch();
  } while (await reader.fill());
}

async function toClient(
  client: Deno.Conn,
  backend: UpgradedConnection,
  touch: () => void,
): Promise<void> {
  for (let bytes; (bytes = await backend.read()) !== null;) {
    touch();
    await writeAll(client, bytes);
  }
}
