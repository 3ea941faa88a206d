import { sslModeOf } from "./postgres_tls.ts";

/** Of a ledger that nobody else may see, and that ends with the process. */
export const inMemory = ":memory:";

/** What is to name a ledger cannot. The message has nothing of it, as there may be a password in it. */
export class WrongTarget extends Error {
  override readonly name = "WrongTarget";
}

/** Whether a ledger is named by a URL of PostgreSQL, and not by the path of an SQLite file. */
export function isPostgres(target: string): boolean {
  return /^postgres(?:ql)?:\/\//i.test(target);
}

/**
 * Tells the path of a file from a URL of PostgreSQL, and from what is neither, although a file could
 * have such a name: a password would be in the name of a file, and payments in the wrong place.
 *
 * @throws {WrongTarget}
 */
export function checkTarget(target: string): void {
  if (target.trim() === "") throw new WrongTarget("it is set, but empty");
  if (target === inMemory) throw new WrongTarget("leave it out for a ledger in memory");
  if (isPostgres(target)) return checkUrl(target);
  const isFileUrl = /^file:/i.test(target);
  if (isFileUrl) throw new WrongTarget("give the path of the file, without file: before it");
  if (target.includes("://") || /^postgres(?:ql)?:/i.test(target)) {
    throw new WrongTarget("a URL has to begin with postgres:// or postgresql://");
  }
  if (/(?:^|\s)(?:host|hostaddr|dbname|user|password)\s*=/i.test(target)) {
    throw new WrongTarget("give a URL, postgres://..., instead of KEY=VALUE");
  }
}

function checkUrl(text: string): void {
  const [, authority = "", rest = ""] = /^[^:]+:\/\/([^/?#]*)(.*)$/s.exec(text) ?? [];
  // A password with these characters would be cut in two, and one half taken for a host or database.
  const isCut = rest.includes("#") || rest.includes("@");
  // No host, for a socket whose folder is a parameter: `pg` takes that, unlike URL.
  const url = URL.parse(text) ??
    (authority.endsWith("@") ? URL.parse(text.replace("@", "@x")) : null);
  if (isCut || url === null || !areDecodable(url.username, url.password, url.pathname)) {
    throw new WrongTarget(
      "it is no URL such as postgres://USER:PASSWORD@HOST:5432/DATABASE; in names and passwords, " +
        "write / ? # @ : % as %2F %3F %23 %40 %3A %25",
    );
  }
  try {
    sslModeOf(url.searchParams);
  } catch (error) {
    throw new WrongTarget((error as TypeError).message);
  }
}

function areDecodable(...parts: readonly string[]): boolean {
  try {
    parts.forEach(decodeURIComponent);
    return true;
  } catch {
    return false;
  }
}
