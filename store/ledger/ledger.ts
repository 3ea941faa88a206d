import { LedgerSql } from "./ledger_sql.ts";
import { LedgerUpkeep } from "./ledger_upkeep.ts";
import { PaymentHistory } from "./payment_history.ts";
import { PaymentIdentifiers } from "./payment_identifiers.ts";
import { defaultLedgerSettings, type LedgerSettings, PaymentLedger } from "./payment_ledger.ts";
import type { SqlDatabase } from "./sql_database.ts";

/** All that is done with one ledger, each part for those who need it. */
export interface Ledger {
  /** For requests that pay. */
  readonly payments: PaymentLedger;
  readonly identifiers: PaymentIdentifiers;
  /** For what requests leave open. */
  readonly upkeep: LedgerUpkeep;
  /** For people. */
  readonly history: PaymentHistory;
  /** For others that work on it, such as isolates that have none of their own. */
  readonly database: SqlDatabase;
  close(): Promise<void>;
}

/** A ledger on a database whose schema is up to date (`migrate`). */
export function ledgerOn(
  database: SqlDatabase,
  owner: string = crypto.randomUUID(),
  settings: LedgerSettings = defaultLedgerSettings,
): Ledger {
  const sql = new LedgerSql(database.dialect);
  const payments = new PaymentLedger(database, sql, owner, settings);
  return {
    payments,
    identifiers: new PaymentIdentifiers(database, sql),
    upkeep: new LedgerUpkeep(database, sql, settings),
    history: new PaymentHistory(database),
    database,
    async close() {
      payments.close();
      await database.close();
    },
  };
}
