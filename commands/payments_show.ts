import { Command } from "commander";
import type { PaymentRecord } from "../store/ledger/payment_record.ts";
import { allColumns } from "./payments_columns.ts";
import { addHistoryFlags, type HistoryFlags } from "./payments_flags.ts";
import { withHistory } from "./payments_output.ts";
import { printLine } from "./print.ts";

/** `payments show`: all that is on record of the payments with one id, nonce or transaction. */
export function showCommand(): Command {
  const command = new Command("show")
    .description("Print everything that is known of a payment.")
    .argument("<id>", "id or nonce of the payment, or its transaction");
  return addHistoryFlags(command).action(show);
}

async function show(text: string, flags: HistoryFlags): Promise<void> {
  await withHistory(flags, async (history) => {
    const payments = await history.show(text.trim());
    if (payments.length === 0) {
      throw new Error(`no payment in the ledger has the id, nonce or transaction ${text}`);
    }
    payments.forEach((payment, index) => {
      if (index > 0) printLine("");
      for (const line of linesOf(payment)) printLine(line);
    });
  });
}

function linesOf(payment: PaymentRecord): string[] {
  const width = Math.max(...allColumns.map(({ name }) => name.length));
  return allColumns.flatMap(({ name, of }) => {
    const value = of(payment);
    return value === undefined ? [] : [`${name.padEnd(width)}  ${value}`];
  });
}
