/** pgbouncer in transaction mode: every transaction may run on another connection to the server. */
import { join } from "node:path";
import { freePorts } from "../cluster/free_port.ts";
import { getPgbouncer } from "./postgres_assets.ts";
import { ServerProcess } from "./server_process.ts";
import { asServerUser, makeServerFolder, runnable } from "./server_user.ts";

export interface Pgbouncer extends AsyncDisposable {
  /** The URL of the same database through the pooler. */
  through(databaseUrl: string): string;
}

/**
 * Starts pgbouncer in front of the test server at `port`; about 0.1 s.
 * @param poolSize connections to the server for each database; few, so that clients share them
 */
export async function startPgbouncer(port: number, poolSize = 3): Promise<Pgbouncer> {
  const folder = await makeServerFolder("x402-pgbouncer-");
  try {
    const ownPort = freePorts(1)[0]!;
    const settings = join(folder, "pgbouncer.ini");
    await Deno.writeTextFile(settings, settingsText(port, ownPort, poolSize));
    const program = await runnable(await getPgbouncer(), folder);
    const command = asServerUser([program, settings]);
    const server = await ServerProcess.start(command, "process up", { scratch: folder });
    return {
      through: (databaseUrl) => Object.assign(new URL(databaseUrl), { port: ownPort }).href,
      [Symbol.asyncDispose]: () => server.kill(),
    };
  } catch (error) {
    await Deno.remove(folder, { recursive: true }).catch(() => {});
    throw error;
  }
}

function settingsText(port: number, ownPort: number, poolSize: number): string {
  return `[databases]
* = host=127.0.0.1 port=${port} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${ownPort}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = ${poolSize}
max_client_conn = 200
`;
}
