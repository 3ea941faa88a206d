import { Command } from "commander";
import type { PaymentHistory } from "../store/ledger/open_history.ts";
import type { PaymentFilter } from "../store/ledger/payment_history.ts";
import type { PaymentRecord } from "../store/ledger/payment_record.ts";
import { chargedStates } from "../store/ledger/payment_state.ts";
import { symbolOf } from "./payments_columns.ts";
import { ExactSum } from "./payments_decimal.ts";
import { addFilterFlags, type FilterFlags, filterOf, namesOf } from "./payments_flags.ts";
import { type Column, rowFormats } from "./payments_formats.ts";
import { printAll, withHistory } from "./payments_output.ts";
import { printLine } from "./print.ts";
import { timeText } from "./payments_time.ts";

/** What totals can be told apart by, besides the token. */
const groupings = {
  route: ({ route }) => route,
  payer: ({ payer }) => payer,
  /** In UTC, on which the payment began: what `--since` and `--until` go by. */
  day: ({ createdAt }) => timeText(createdAt)?.slice(0, 10) ?? "",
  state: ({ state }) => state,
} satisfies Record<string, (payment: PaymentRecord) => string>;
type Grouping = keyof typeof groupings;

interface SumFlags extends FilterFlags {
  readonly by: readonly Grouping[];
}

/** What was paid in one token, and of one value of each grouping. */
interface Total {
  readonly groups: readonly string[];
  readonly network: string;
  readonly asset: string;
  count: number;
  /** Atomic units. */
  atomic: bigint;
  /** Whole tokens. Added up by itself: the ledger does not know the decimals of a token. */
  readonly whole: ExactSum;
}

/** `payments sum`: totals, exact to the last atomic unit. */
export function sumCommand(): Command {
  const command = new Command("sum")
    .description("Print what was paid in each token, in whole tokens and atomic units.")
    .option(
      "--by <what>",
      `for each ${Object.keys(groupings).join(", ")} (repeat, or separate with commas)`,
      groupingNames,
      [],
    );
  return addFilterFlags(command, "charged").action(sum);
}

async function sum(flags: SumFlags): Promise<void> {
  await withHistory(flags, async (history) => {
    const totals = await totalsOf(history, { states: chargedStates, ...filterOf(flags) }, flags.by);
    const isAny = await printAll(rowFormats[flags.output](columns(flags), iterate(totals)));
    if (!isAny) printLine("There are no such payments in the ledger.", Deno.stderr);
  });
}

/** Row by row, because no database here adds up numbers of any size exactly. */
async function totalsOf(
  history: PaymentHistory,
  filter: PaymentFilter,
  by: readonly Grouping[],
): Promise<Total[]> {
  const totals = new Map<string, Total>();
  for await (const payment of history.list(filter)) {
    const { network, asset } = payment;
    const groups = by.map((name) => groupings[name](payment));
    const key = JSON.stringify([...groups, network, asset]);
    let total = totals.get(key);
    if (total === undefined) {
      total = { groups, network, asset, count: 0, atomic: 0n, whole: new ExactSum() };
      totals.set(key, total);
    }
    total.count++;
    total.atomic += payment.amount;
    addPrice(total.whole, payment);
  }
  return [...totals].sort(([a], [b]) => a < b ? -1 : 1).map(([, total]) => total);
}

function addPrice(whole: ExactSum, { id, price }: PaymentRecord): void {
  try {
    whole.add(price);
  } catch (error) {
    throw new Error(`payment ${id} has a wrong price: ${(error as Error).message}`);
  }
}

function columns({ by, output }: SumFlags): readonly Column<Total>[] {
  const grouped = by.map((name, i) => ({ name, of: ({ groups }: Total) => groups[i] }));
  const symbol = ({ network, asset }: Total) => symbolOf(network, asset);
  const token: Column<Total>[] = output === "table"
    ? [{ name: "token", of: (total) => symbol(total) ?? total.asset }]
    : [{ name: "symbol", of: symbol }, { name: "asset", of: ({ asset }) => asset }];
  return [
    ...grouped,
    { name: "network", of: ({ network }) => network },
    ...token,
    { name: "count", of: ({ count }) => count },
    { name: "total", of: ({ whole }) => String(whole) },
    { name: "atomic", of: ({ atomic }) => String(atomic) },
  ];
}

async function* iterate<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

function groupingNames(text: string, previous: readonly Grouping[]): readonly Grouping[] {
  const names = namesOf(text, "grouping", Object.keys(groupings) as Grouping[]);
  return [...new Set([...previous, ...names])];
}
