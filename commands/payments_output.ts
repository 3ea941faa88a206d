import { NoLedger, openHistory, type PaymentHistory } from "../store/ledger/open_history.ts";
import { WrongTarget } from "../store/ledger/ledger_target.ts";
import { LedgerRefused, LedgerUnavailable } from "../store/ledger/sql_database.ts";
import type { HistoryFlags } from "./payments_flags.ts";
import { printText } from "./print.ts";
import { exitWith, UsageError } from "./usage_error.ts";

/** Characters that are written at once: a system call for each row would be most of the work. */
const chunkLength = 64 * 1024;

/** Opens the ledger for `work`; what goes wrong ends the process with one line. */
export async function withHistory(
  { ledger }: HistoryFlags,
  work: (history: PaymentHistory) => Promise<void>,
): Promise<void> {
  try {
    const opened = await openHistory(ledger);
    await work(opened.history);
    await opened.close();
  } catch (error) {
    // `| head` has seen enough, which is no failure.
    if (error instanceof Deno.errors.BrokenPipe) Deno.exit(0);
    exitWith(told(error));
  }
}

function told(error: unknown): unknown {
  if (error instanceof NoLedger || error instanceof WrongTarget) {
    return new UsageError(`--ledger: ${error.message}`);
  }
  if (error instanceof LedgerUnavailable || error instanceof LedgerRefused) {
    return new Error(`the ledger cannot be read: ${error.message}`);
  }
  return error;
}

/**
 * Prints texts as they come, without keeping them.
 * @returns whether there were any
 */
export async function printAll(texts: AsyncIterable<string>): Promise<boolean> {
  let chunk = "";
  let isAny = false;
  for await (const text of texts) {
    isAny = true;
    chunk += text;
    if (chunk.length < chunkLength) continue;
    printText(chunk);
    chunk = "";
  }
  printText(chunk);
  return isAny;
}
