import { isIP } from "node:net";

/**
 * How a connection to PostgreSQL is kept private, by `sslmode` of its URL. Unlike libpq, `require`
 * and `verify-ca` check the certificate and its name as `verify-full` does: a ledger decides about
 * money, and whoever can pose as it could say that everything was paid. `no-verify` is the word for
 * those who want encryption only. `allow` and `prefer`, which let the other side decide whether
 * there is any, are refused. Without `sslmode` nothing is encrypted.
 */
const modes: Readonly<Record<string, boolean>> = {
  disable: false,
  "no-verify": false,
  require: true,
  "verify-ca": true,
  "verify-full": true,
};

/** What `pg` is given for a URL. */
export interface PostgresConnection {
  readonly connectionString: string;
  /** Absent where the URL says nothing of it. */
  readonly ssl?: false | {
    readonly rejectUnauthorized: boolean;
    readonly host?: string;
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
  };
}

/** Names of files in a URL, and what `node:tls` calls their content. */
const files = { sslrootcert: "ca", sslcert: "cert", sslkey: "key" } as const;

/**
 * Takes out of the URL what is about TLS: `pg` would warn of its own meaning of `sslmode` in several
 * lines, and compare the certificate of a host that is an IP address with `localhost`.
 *
 * @throws {TypeError} for another `sslmode`, or for files without one; shows nothing else of the URL
 * @throws {Error} for a file that cannot be read
 */
export function postgresConnection(url: string): PostgresConnection {
  const [start = "", query = ""] = url.split(/\?(.*)/s);
  const params = new URLSearchParams(query);
  const mode = sslModeOf(params);
  if (mode === undefined) return { connectionString: url };
  const contents = Object.entries(files).flatMap(([name, content]) => {
    const path = params.get(name);
    // libpq's word for the authorities that everybody trusts.
    return path === null || path === "system" ? [] : [[content, read(name, path)]];
  });
  const host = params.get("host") ?? hostOf(start);
  for (const name of ["ssl", "sslmode", ...Object.keys(files)]) params.delete(name);
  return {
    connectionString: params.size === 0 ? start : `${start}?${params}`,
    ssl: mode !== "disable" && {
      rejectUnauthorized: modes[mode]!,
      ...(isIP(host) > 0 && { host }),
      ...Object.fromEntries(contents),
    },
  };
}

/** @throws {TypeError} for a word that is not allowed, or files without one */
export function sslModeOf(params: URLSearchParams): string | undefined {
  const isOn = ["true", "1"].includes(params.get("ssl") ?? "");
  const mode = params.get("sslmode") ?? (isOn ? "verify-full" : undefined);
  const isFileGiven = Object.keys(files).some((name) => params.has(name));
  if (mode === undefined && !isFileGiven) return undefined;
  if (mode !== undefined && Object.hasOwn(modes, mode)) return mode;
  throw new TypeError(`sslmode has to be one of ${Object.keys(modes).join(", ")}`);
}

function read(name: string, path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    throw new Error(`${name} ${path}: ${(error as Error).message}`);
  }
}

function hostOf(start: string): string {
  return URL.parse(start)?.hostname.replace(/^\[(.*)\]$/, "$1") ?? "";
}
