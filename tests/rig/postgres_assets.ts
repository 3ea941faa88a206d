/** PostgreSQL and pgbouncer, for the tests of a ledger that replicas share. */
import { dirname, join } from "node:path";
import {
  cachedPrograms,
  type DebianPackage,
  startsHere,
  unpackPackage,
} from "../cluster/debian_package.ts";

const postgresql: DebianPackage = {
  name: "postgresql",
  programs: ["usr/lib/postgresql/*/bin/postgres", "usr/lib/postgresql/*/bin/initdb"],
  runs: hasPostgres,
};

const pgbouncer: DebianPackage = {
  name: "pgbouncer",
  programs: ["usr/sbin/pgbouncer"],
  runs: (folder) => startsHere(join(folder, "pgbouncer"), "--version"),
};

/** Where Debian installs the server, one folder per major version; it is not on the PATH. */
const debianServers = "/usr/lib/postgresql";

/**
 * The folder with `postgres` and `initdb`: `POSTGRES_BIN` where that is set, else Debian's newest,
 * else that of `postgres` on the PATH, else the one in our cache; `undefined` when none runs here.
 */
export async function findPostgres(): Promise<string | undefined> {
  const named = Deno.env.get("POSTGRES_BIN");
  const folders = named ? [named] : [...installedServers(), ...await serversOnPath()];
  for (const folder of [...folders, cachedPrograms(postgresql.name)]) {
    if (await hasPostgres(folder)) return folder;
  }
  return undefined;
}

/**
 * The same; where there is none, Debian's package is unpacked into our cache, not installed.
 * @throws {Error} when that is not possible
 */
export async function getPostgres(): Promise<string> {
  return await findPostgres() ??
    await unpacked(postgresql, "PostgreSQL", "POSTGRES_BIN to the folder of postgres and initdb");
}

/**
 * The program to run: `PGBOUNCER_BIN` where that is set, else `pgbouncer` on the PATH or where
 * Debian installs it, else the one in our cache; `undefined` when there is none that runs here.
 */
export async function findPgbouncer(): Promise<string | undefined> {
  const named = Deno.env.get("PGBOUNCER_BIN");
  const programs = named ? [named] : ["pgbouncer", "/usr/sbin/pgbouncer"];
  for (const program of [...programs, join(cachedPrograms(pgbouncer.name), "pgbouncer")]) {
    if (await startsHere(program, "--version")) return program;
  }
  return undefined;
}

/**
 * The same; where there is none, Debian's package is unpacked into our cache, not installed.
 * @throws {Error} when that is not possible
 */
export async function getPgbouncer(): Promise<string> {
  return await findPgbouncer() ??
    join(await unpacked(pgbouncer, "pgbouncer", "PGBOUNCER_BIN to the program"), "pgbouncer");
}

async function unpacked(it: DebianPackage, title: string, setting: string): Promise<string> {
  try {
    await unpackPackage(it);
  } catch (error) {
    const why = (error as Error).message;
    throw new Error(`${title} is not there (${why}); install it or set ${setting}.`);
  }
  return cachedPrograms(it.name);
}

async function hasPostgres(folder: string): Promise<boolean> {
  const programs = ["postgres", "initdb"].map((it) => startsHere(join(folder, it), "--version"));
  return (await Promise.all(programs)).every((runs) => runs);
}

function installedServers(): string[] {
  try {
    return [...Deno.readDirSync(debianServers)]
      .sort((one, other) => Number(other.name) - Number(one.name))
      .map(({ name }) => join(debianServers, name, "bin"));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** Where the links lead: `initdb` is beside the program, not beside a link to it. */
async function serversOnPath(): Promise<string[]> {
  const folders = (Deno.env.get("PATH") ?? "").split(":").filter((it) => it !== "");
  const found = folders.map((it) => Deno.realPath(join(it, "postgres")).then(dirname, () => []));
  return (await Promise.all(found)).flat();
}
