import { findKnownAsset } from "../crd/networks.ts";
import type { PaymentRecord } from "../store/ledger/payment_record.ts";
import type { Column, OutputFormat } from "./payments_formats.ts";
import { timeText } from "./payments_time.ts";

type PaymentColumn = Column<PaymentRecord>;

/** Everything that is on record, by the names that it has in JSON. */
const fields = {
  id: ({ id }) => id,
  /** When it began. */
  time: ({ createdAt }) => timeText(createdAt),
  settled: ({ settledAt }) => settledAt === undefined ? undefined : timeText(settledAt),
  updated: ({ updatedAt }) => timeText(updatedAt),
  state: ({ state }) => state,
  reason: ({ reason }) => reason,
  route: ({ route }) => route,
  path: ({ path }) => path,
  method: ({ httpMethod }) => httpMethod,
  host: ({ host }) => host,
  payer: ({ payer }) => payer,
  payTo: ({ payTo }) => payTo,
  /** Whole tokens, and below the same in atomic units: the names that both have everywhere. */
  price: ({ price }) => price,
  amount: ({ amount }) => String(amount),
  symbol: ({ network, asset }) => symbolOf(network, asset),
  asset: ({ asset }) => asset,
  /** For people: what the price is counted in. */
  token: ({ network, asset }) => symbolOf(network, asset) ?? asset,
  network: ({ network }) => network,
  transaction: ({ transaction }) => transaction,
  transferMethod: ({ transferMethod }) => transferMethod,
  nonce: ({ nonce }) => nonce,
  validBefore: ({ validBefore }) => timeText(Number(validBefore) * 1000),
  executions: ({ executions }) => executions,
  facilitator: ({ facilitatorUrl }) => facilitatorUrl,
} satisfies Record<string, PaymentColumn["of"]>;

type Field = keyof typeof fields;

function columns(...names: readonly Field[]): readonly PaymentColumn[] {
  return names.map((name) => ({ name, of: fields[name] }));
}

/** All of a payment, for `show` and JSON. */
export const allColumns = columns(
  ...(Object.keys(fields) as Field[]).filter((name) => name !== "token"),
);

export const listColumns: Readonly<Record<OutputFormat, readonly PaymentColumn[]>> = {
  table: columns(
    ...["time", "settled", "state", "route", "path", "payer", "price", "token"] as const,
    ...["network", "transaction", "reason"] as const,
  ),
  json: allColumns,
  csv: columns(
    ...["time", "settled", "route", "path", "payer", "price", "symbol", "asset"] as const,
    ...["network", "transaction", "state", "reason", "id"] as const,
  ),
};

/** Of a token that is known: `USDC`. A symbol is never taken from what a route says. */
export function symbolOf(network: string, asset: string): string | undefined {
  return findKnownAsset(network, asset)?.symbol;
}
