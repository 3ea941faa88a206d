/** Tests on a real PostgreSQL server. */
import { fileURLToPath } from "node:url";
import { testUnless } from "../cluster/test_requirement.ts";
import { keptForRun } from "./keeper.ts";
import { type Pgbouncer, startPgbouncer } from "./pgbouncer.ts";
import { type PostgresServer, startPostgres } from "./postgres.ts";
import { createDatabase, dropDatabase } from "./postgres_admin.ts";
import { findPgbouncer, findPostgres } from "./postgres_assets.ts";

/** The PostgreSQL server of the run, as one test sees it. */
export interface TestPostgres {
  /** Creates an empty database for this test alone; returns its URL. */
  createDatabase(): Promise<string>;
}

const missingPostgres = await findPostgres() === undefined
  ? "PostgreSQL is not there; get it with `deno task cluster:assets`."
  : undefined;

const missingPooler = missingPostgres ??
  (await findPgbouncer() === undefined
    ? "pgbouncer is not there; get it with `deno task cluster:assets`."
    : undefined);

/** A test on the PostgreSQL server that all tests of the run share; the first one starts it. */
export function postgresTest(name: string, fn: (postgres: TestPostgres) => Promise<void>): void {
  testUnless(missingPostgres, name, async () => {
    await using databases = new Databases(await sharedPort());
    await fn(databases);
  });
}

/** The same with pgbouncer in front, in transaction mode: `pooler.through(url)`. */
export function poolerTest(
  name: string,
  fn: (postgres: TestPostgres, pooler: Pgbouncer) => Promise<void>,
): void {
  testUnless(missingPooler, name, async () => {
    await using databases = new Databases(await sharedPort());
    await using pooler = await startPgbouncer(await sharedPort());
    await fn(databases, pooler);
  });
}

/** A test on a PostgreSQL server of its own, which it may kill and restart. */
export function postgresServerTest(
  name: string,
  fn: (server: PostgresServer) => Promise<void>,
): void {
  testUnless(missingPostgres, name, async () => {
    await using server = await startPostgres();
    await fn(server);
  });
}

const keeper = fileURLToPath(new URL("keep_postgres.ts", import.meta.url));

async function sharedPort(): Promise<number> {
  return Number(await keptForRun("X402_TEST_POSTGRES", keeper));
}

class Databases implements TestPostgres, AsyncDisposable {
  readonly #urls: string[] = [];

  constructor(private readonly port: number) {}

  async createDatabase(): Promise<string> {
    const url = await createDatabase(this.port);
    this.#urls.push(url);
    return url;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#urls.map(dropDatabase));
  }
}
