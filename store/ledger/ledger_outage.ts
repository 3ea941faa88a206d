import { LedgerUnavailable } from "./sql_database.ts";

/** Of the operating system (`getaddrinfo` included). */
const unreachable =
  /^(?:ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)$/;
/** SQLSTATE classes of connections, resources, and of a server that starts or stops. */
const passing = /^(?:08|53|57)...$/;

/**
 * Whether a ledger that could not be opened may be there in a moment, with the same settings: a
 * server that is not up yet, as opposed to a wrong password or a wrong name of a database.
 */
export function isOutage(error: unknown): boolean {
  if (!(error instanceof LedgerUnavailable)) return false;
  const { code, message } = error.cause as { code?: string; message: string };
  if (code === undefined) return /timeout|terminated unexpectedly/.test(message);
  return unreachable.test(code) || passing.test(code);
}
