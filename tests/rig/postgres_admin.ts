// @ts-types="@types/pg"
import pg from "pg";

/** `postgres://...` of a database on the test server at `port`. */
export function databaseUrl(port: number, database: string): string {
  return `postgres://postgres@127.0.0.1:${port}/${database}`;
}

/** Creates an empty database on the test server at `port`; returns its URL. About 40 ms. */
export async function createDatabase(port: number): Promise<string> {
  const name = `test_${crypto.randomUUID().replaceAll("-", "")}`;
  await administer(port, `CREATE DATABASE ${name}`);
  return databaseUrl(port, name);
}

/** Drops the database of a URL, whoever is still connected to it. */
export async function dropDatabase(url: string): Promise<void> {
  const { port, pathname } = new URL(url);
  await administer(Number(port), `DROP DATABASE IF EXISTS ${pathname.slice(1)} WITH (FORCE)`);
}

async function administer(port: number, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl(port, "postgres") });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
