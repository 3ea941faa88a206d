import { Command, InvalidArgumentError } from "commander";
import { listColumns } from "./payments_columns.ts";
import { addFilterFlags, type FilterFlags, filterOf } from "./payments_flags.ts";
import { rowFormats } from "./payments_formats.ts";
import { printAll, withHistory } from "./payments_output.ts";
import { printLine } from "./print.ts";

interface ListFlags extends FilterFlags {
  readonly limit?: number;
}

/** `payments list`: one row for each payment, oldest first. */
export function listCommand(): Command {
  const command = new Command("list")
    .description("Print payments, oldest first.")
    .option("--limit <number>", "at most so many", rowCount);
  return addFilterFlags(command, "all").action(list);
}

async function list(flags: ListFlags): Promise<void> {
  await withHistory(flags, async (history) => {
    const { output, limit = Infinity } = flags;
    const payments = first(limit, history.list(filterOf(flags)));
    const isAny = await printAll(rowFormats[output](listColumns[output], payments));
    if (!isAny) printLine("There are no such payments in the ledger.", Deno.stderr);
  });
}

async function* first<T>(count: number, items: AsyncIterable<T>): AsyncGenerator<T> {
  for await (const item of items) {
    yield item;
    if (--count === 0) return;
  }
}

function rowCount(text: string): number {
  if (/^[1-9][0-9]{0,14}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Give a whole number, 1 or more.");
}
