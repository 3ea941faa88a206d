/** A PostgreSQL server for tests. */
import { dirname, join } from "node:path";
import { freePorts } from "../cluster/free_port.ts";
import { GuardedProcess } from "../cluster/guarded_process.ts";
import { childrenOf, untilEnded, untilStopped } from "./child_processes.ts";
import { createDatabase } from "./postgres_admin.ts";
import { getPostgres } from "./postgres_assets.ts";
import { ServerProcess } from "./server_process.ts";
import { asServerUser, makeServerFolder, runnable } from "./server_user.ts";

export interface PostgresOptions {
  /**
   * Whether it waits for the disk, as users' servers do. Without, it is faster and loses nothing
   * either when it is killed: what it wrote is with the kernel.
   */
  readonly fsync?: boolean;
}

/** Starts a server of its own, without any data; about 1 s. */
export async function startPostgres(
  { fsync = false }: PostgresOptions = {},
): Promise<PostgresServer> {
  const folder = await makeServerFolder("x402-postgres-");
  // Outlives the server, which may be killed and restarted, and removes the folder if we cannot.
  const keeper = await GuardedProcess.start(["sleep", "2147483647"], { scratch: folder });
  try {
    const program = await runnable(join(await getPostgres(), "postgres"), folder);
    const data = join(folder, "data");
    await initialize(join(dirname(program), "initdb"), data);
    const server = new PostgresServer(freePorts(1)[0]!, keeper, [program, ...flags(data, fsync)]);
    await server.restart();
    return server;
  } catch (error) {
    await keeper.end();
    throw error;
  }
}

export class PostgresServer implements AsyncDisposable {
  #process: ServerProcess | undefined;
  #suspended: readonly number[] = [];

  /** @param keeper ends with the server's folder */
  constructor(
    readonly port: number,
    private readonly keeper: GuardedProcess,
    private readonly command: readonly string[],
  ) {}

  /** Creates an empty database; returns its URL. */
  createDatabase(): Promise<string> {
    return createDatabase(this.port);
  }

  /** Ends all connections and the server, in order; its data stay. */
  stop(): Promise<void> {
    return this.#end("SIGINT");
  }

  /** SIGKILL for the server and all processes of its connections; its data stay. */
  async kill(): Promise<void> {
    if (this.#process === undefined) return;
    // Stopped, it starts no process that would be missing in the list.
    Deno.kill(this.#process.pid, "SIGSTOP");
    const children = await childrenOf(this.#process.pid);
    for (const pid of children) send(pid, "SIGKILL");
    await this.#process.kill();
    // A new server refuses to start while one of them has the old one's memory.
    await untilEnded(children);
    this.#process = undefined;
    this.#suspended = [];
  }

  /** Starts the server, after `stop` if it is running, on the same port and data. */
  async restart(): Promise<void> {
    await this.stop();
    const command = asServerUser([...this.command, "-p", String(this.port)]);
    this.#process = await ServerProcess.start(command, "ready to accept connections");
  }

  /**
   * Stops everything in its tracks (SIGSTOP): connections stay open, new ones are accepted by the
   * kernel, and nothing answers.
   */
  async suspend(): Promise<void> {
    const { pid } = this.#process!;
    send(pid, "SIGSTOP");
    this.#suspended = [pid, ...await childrenOf(pid)];
    for (const it of this.#suspended) send(it, "SIGSTOP");
    await untilStopped(this.#suspended);
  }

  /** Lets it go on after `suspend`. */
  resume(): void {
    for (const pid of this.#suspended) send(pid, "SIGCONT");
    this.#suspended = [];
  }

  /** Ends the server; its folder goes with it. */
  async [Symbol.asyncDispose](): Promise<void> {
    // At once, but unlike SIGKILL it leaves no shared memory behind.
    await this.#end("SIGQUIT");
    await this.keeper.end();
  }

  async #end(signal: Deno.Signal): Promise<void> {
    this.resume();
    await this.#process?.end(signal);
    this.#process = undefined;
  }
}

/** Anybody on this machine may connect as `postgres`, without a password. */
async function initialize(initdb: string, data: string): Promise<void> {
  const options = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-locale"];
  const all = [initdb, "--no-sync", ...options, `--pgdata=${data}`];
  const [program, ...args] = asServerUser(all);
  const { success, stderr } = await new Deno.Command(program!, { args, cwd: "/" }).output();
  if (!success) throw new Error(`initdb failed: ${new TextDecoder().decode(stderr)}`);
}

function flags(data: string, fsync: boolean): string[] {
  const settings = {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    max_connections: 200,
    fsync,
    full_page_writes: fsync,
    // A server from our cache comes without LLVM.
    jit: false,
    // In its folder, which is removed however it ends.
    dynamic_shared_memory_type: "mmap",
  };
  return ["-D", data, ...Object.entries(settings).flatMap(([name, it]) => ["-c", `${name}=${it}`])];
}

/** A connection's process may have ended since it was listed. */
function send(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
