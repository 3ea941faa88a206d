import type { Random } from "../fuzz/random.ts";
import type { ClientKind } from "./expectations.ts";
import type { Journal } from "./journal.ts";
import type { Lane } from "./lane.ts";
import type { PaymentAccount } from "./payment_account.ts";
import type { Payment, Purse } from "./purse.ts";

/** What all clients of a soak share. */
export interface ClientBed {
  /** Of the gateway. */
  readonly port: number;
  readonly metricsUrl: string;
  readonly probeUrl: string;
  readonly journal: Journal;
  readonly purse: Purse;
  readonly account: PaymentAccount;
  /** Payments that an outage stopped, and that are still good. */
  readonly owed: { readonly payment: Payment; readonly path: string }[];
}

/** One client: its visits follow each other, each is something that it does and tells the journal. */
export interface ClientTools extends ClientBed {
  readonly kind: ClientKind;
  readonly random: Random;
  /** Its connection that is kept alive; others it opens itself. */
  readonly lane: Lane;
  /** Its own address, which the gateway believes: limits per client count each of them apart. */
  readonly address: readonly [name: string, value: string];
}

export type Visit = (client: ClientTools) => Promise<void>;

/** Some clients of one kind. */
export interface ClientGroup {
  readonly kind: ClientKind;
  readonly clients: number;
  /** Mean pause between two visits of one client, ms. */
  readonly pauseMs: number;
  readonly visit: Visit;
}
