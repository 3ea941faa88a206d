/**
 * `deno run -A keep_postgres.ts PID`: runs a PostgreSQL server until process PID has ended; prints
 * one line, its port.
 */
import { keepForRun } from "./keeper.ts";
import { startPostgres } from "./postgres.ts";

{
  await using server = await startPostgres();
  await keepForRun(String(server.port));
}
Deno.exit(0);
