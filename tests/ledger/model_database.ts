import { setImmediate } from "node:timers";
import { migrate } from "../../store/ledger/migrations.ts";
import { PostgresDatabase } from "../../store/ledger/postgres_database.ts";
import type { SqlDatabase } from "../../store/ledger/sql_database.ts";
import { SqliteDatabase } from "../../store/ledger/sqlite_database.ts";

/** A ledger's database whose clock is the model's. */
export interface ModelDatabase extends AsyncDisposable {
  readonly database: SqlDatabase;
  /** ms since 1970 */
  now: number;
  /** Resolves when everything has run that can: no statement is under way. */
  settled(): Promise<void>;
}

/** @param path of the file, or `:memory:` */
export async function sqliteModel(path: string): Promise<ModelDatabase> {
  const model = { now: 0 };
  const database = new SqliteDatabase(path, "normal", () => model.now);
  await migrate(database);
  return Object.assign(model, {
    database,
    settled: turn,
    [Symbol.asyncDispose]: () => database.close(),
  });
}

/** PostgreSQL has no clock that can be set: a table takes its place. */
export async function postgresModel(url: string): Promise<ModelDatabase> {
  const postgres = new PostgresDatabase(url);
  await migrate(postgres);
  await postgres.query("CREATE TABLE model_clock (ms BIGINT)");
  await postgres.query("INSERT INTO model_clock VALUES (0)");
  let underWay = 0;
  let told: Promise<number> = Promise.resolve(0);
  const tell = async (ms: number) => {
    if (await told === ms) return ms;
    await postgres.query("UPDATE model_clock SET ms = ?", [ms]);
    return ms;
  };
  const model: ModelDatabase = {
    now: 0,
    database: {
      dialect: { ...postgres.dialect, now: "(SELECT ms FROM model_clock)" },
      async query(sql, values) {
        underWay++;
        try {
          await (told = tell(model.now));
          return await postgres.query(sql, values);
        } finally {
          underWay--;
        }
      },
      exclusively: (work) => postgres.exclusively(work),
      close: () => postgres.close(),
    },
    async settled() {
      do await turn(); while (underWay > 0);
      await turn();
    },
    [Symbol.asyncDispose]: () => postgres.close(),
  };
  return model;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
