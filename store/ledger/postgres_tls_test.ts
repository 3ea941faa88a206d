import assert from "node:assert/strict";
import { join } from "node:path";
import process from "node:process";
import { postgresServerTest } from "../../tests/rig/test_postgres.ts";
import { PostgresDatabase } from "./postgres_database.ts";
import { postgresConnection } from "./postgres_tls.ts";

async function openssl(folder: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", { args, cwd: folder }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
}

/** Makes `NAME.crt` and `NAME.key`, signed by itself. */
async function makeCertificate(folder: string, name: string, subject: string): Promise<void> {
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const files = ["-keyout", `${name}.key`, "-out", `${name}.crt`];
  const names = ["-subj", "/CN=x402 test", "-addext", `subjectAltName=${subject}`];
  await openssl(folder, "req", "-x509", ...key, ...files, ...names);
}

/** Gives the server a certificate from its next start on. */
async function install(folder: string, name: string, database: PostgresDatabase): Promise<void> {
  for (const end of ["crt", "key"]) {
    const text = btoa(await Deno.readTextFile(join(folder, `${name}.${end}`)));
    // It runs in the folder of its data, as the user who has to own the key.
    await database.query(
      `COPY (SELECT '${text}') TO PROGRAM 'umask 077; base64 -d > server.${end}'`,
    );
  }
  await database.query("ALTER SYSTEM SET ssl = on");
}

async function connects(url: string): Promise<true | string> {
  const database = new PostgresDatabase(url);
  try {
    const [row] = await database.query(
      "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
    );
    return row!.ssl === true || "without TLS";
  } catch (error) {
    return (error as Error).message;
  } finally {
    await database.close();
  }
}

postgresServerTest(
  "sslmode: who is on the other side is checked, by IP address as well",
  async (server) => {
    const folder = await Deno.makeTempDir({ prefix: "x402-tls-" });
    const warnings: string[] = [];
    const warned = (warning: Error) => warnings.push(warning.message);
    process.on("warning", warned);
    try {
      await makeCertificate(folder, "ip", "IP:127.0.0.1");
      await makeCertificate(folder, "name", "DNS:localhost");
      const byAddress = await server.createDatabase();
      const byName = byAddress.replace("127.0.0.1", "localhost");
      const mode = (word: string, ca?: string) =>
        `?sslmode=${word}${ca ? `&sslrootcert=${join(folder, `${ca}.crt`)}` : ""}`;
      assert.match(String(await connects(byAddress + mode("require", "ip"))), /not support SSL/);

      const wrongName = /does not match|altname/i;
      const wrongAuthority = /self[- ]signed|UnknownIssuer|unable to verify|certificate/i;
      for (
        const [certificate, cases] of [
          ["ip", [
            ...["require", "verify-ca", "verify-full"].map((word) =>
              [byAddress + mode(word, "ip"), true] as const
            ),
            [byAddress, /^without TLS$/],
            [byAddress + mode("disable"), /^without TLS$/],
            [byAddress + mode("no-verify"), true],
            [byAddress + mode("require"), wrongAuthority],
            [byAddress + mode("verify-full", "name"), wrongAuthority],
            [byName + mode("require", "ip"), wrongName],
          ]],
          ["name", [
            [byName + mode("verify-full", "name"), true],
            [byAddress + mode("verify-full", "name"), wrongName],
            [byAddress + mode("require", "name"), wrongName],
          ]],
        ] as const
      ) {
        const database = new PostgresDatabase(byAddress);
        await install(folder, certificate, database);
        await database.close();
        await server.restart();
        for (const [url, expected] of cases) {
          const found = await connects(url);
          const what = `${certificate}: ${url}: ${found}`;
          if (expected === true) assert.equal(found, true, what);
          else assert.match(String(found), expected, what);
        }
      }
      assert.deepEqual(warnings, []);
    } finally {
      process.off("warning", warned);
      await Deno.remove(folder, { recursive: true });
    }
  },
);

Deno.test("what of a URL is left for pg, and what it is refused for", () => {
  const url = "postgres://u:p%20w@10.0.0.1:5432/db";
  assert.deepEqual(postgresConnection(url), { connectionString: url });
  assert.deepEqual(postgresConnection(`${url}?sslmode=disable&application_name=a%20b`), {
    connectionString: `${url}?application_name=a+b`,
    ssl: false,
  });
  assert.deepEqual(postgresConnection(`${url}?ssl=true&sslrootcert=system`), {
    connectionString: url,
    ssl: { rejectUnauthorized: true, host: "10.0.0.1" },
  });
  assert.deepEqual(postgresConnection("postgres://u@[::1]/db?sslmode=require").ssl, {
    rejectUnauthorized: true,
    host: "::1",
  });
  for (const query of ["sslmode=prefer", "sslmode=allow", "sslmode=", "sslrootcert=/ca.pem"]) {
    assert.throws(() => postgresConnection(`${url}?${query}`), (error: Error) => {
      assert.match(error.message, /^sslmode has to be one of disable, no-verify, require, /);
      return error instanceof TypeError;
    });
  }
  assert.throws(
    () => postgresConnection(`${url}?sslmode=require&sslrootcert=/nonexist/ca.pem`),
    /^Error: sslrootcert \/nonexist\/ca\.pem: No such file/,
  );
});
