import type { Seen } from "./lane.ts";

/** What the account has to know of a request. */
type Paying = Pick<Seen, "outcome" | "headers"> & Partial<Pick<Seen, "retried">>;

/** What became of one payment as its buyer sees it. */
interface PaymentRecord {
  readonly outcomes: string[];
  /** Transactions of the receipts. */
  readonly receipts: string[];
}

/** Says from what buyers, backends and facilitators saw whether every payment counted once. */
export class PaymentAccount {
  readonly #records = new Map<string, PaymentRecord>();

  /**
   * To be called for every request with this payment when it is over.
   * @returns the outcome, with what is wrong with the receipt
   */
  add(nonce: string, seen: Paying): string {
    const record = this.#records.get(nonce) ?? { outcomes: [], receipts: [] };
    this.#records.set(nonce, record);
    if (seen.retried) record.outcomes.push("broken");
    record.outcomes.push(seen.outcome);
    if (seen.outcome !== "200") return offersAgain(seen) ?? seen.outcome;
    const transaction = receiptOf(seen.headers);
    if (transaction === undefined) return "200 without a receipt";
    record.receipts.push(transaction);
    return "200";
  }

  /**
   * @param runs how often the backends ran for a payment
   * @param settled transactions of the payments that moved money
   * @returns what is wrong
   */
  check(runs: ReadonlyMap<string, number>, settled: ReadonlyMap<string, string>): string[] {
    return [...this.#records].flatMap(([nonce, record]) => {
      const transaction = settled.get(nonce);
      const wrong = faultsOf(record, runs.get(nonce) ?? 0, transaction);
      const seen = `${record.outcomes.join(", ")}; ran ${runs.get(nonce) ?? 0} times, ` +
        `${transaction === undefined ? "not " : ""}settled`;
      return wrong.map((what) => `payment ${nonce.slice(0, 10)}: ${what} (${seen})`);
    });
  }

  /** How many payments there are of each fate. */
  tally(settled: ReadonlyMap<string, string>): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const [nonce, { outcomes }] of this.#records) {
      const served = outcomes.includes("200");
      const fate = `${served ? "served" : "not served"}, ${
        settled.has(nonce) ? "settled" : "not settled"
      }`;
      counts.set(fate, (counts.get(fate) ?? 0) + 1);
    }
    return counts;
  }
}

function faultsOf(record: PaymentRecord, runs: number, transaction: string | undefined): string[] {
  const { outcomes, receipts } = record;
  const wrong: string[] = [];
  const served = outcomes.filter((outcome) => outcome === "200").length;
  const smooth = outcomes.every((outcome) => /^(?:200|402|409 payment_in_flight)$/.test(outcome));
  if (served > 0 && transaction === undefined) wrong.push("served and not settled");
  if (served > 1) wrong.push("served more than once");
  if (served > 0 && runs === 0) wrong.push("served without the backend");
  if (smooth && served > 0 && runs !== 1) wrong.push("not run once");
  // A try that was answered 5xx may have run the backend: it is settled first, and run again.
  if (runs > outcomes.length) wrong.push("run more often than asked for");
  if (served === 0 && outcomes.includes("402")) wrong.push("good, and answered with a new offer");
  // Found out with the facilitator alone, a settlement has no transaction.
  if (receipts.some((it) => it !== transaction && (smooth || it !== ""))) {
    wrong.push("a receipt for another transaction");
  }
  const wasFree = outcomes.every((outcome) => outcome.includes(" upstream_"));
  if (transaction !== undefined && wasFree) wrong.push("settled although the backend failed");
  if (transaction !== undefined && smooth && served === 0) wrong.push("settled and never served");
  return wrong;
}

/** Who gets an offer with an outage pays twice; who is not told when to come back comes at once. */
function offersAgain({ outcome, headers }: Paying): string | undefined {
  if (!/^5\d\d /.test(outcome)) return undefined;
  if (headers.has("payment-required")) return `${outcome} with an offer`;
  return headers.has("retry-after") ? undefined : `${outcome} without Retry-After`;
}

/** The transaction, maybe empty; undefined without a receipt that says success. */
function receiptOf(headers: ReadonlyMap<string, string>): string | undefined {
  try {
    const text = headers.get("payment-response") ?? headers.get("x-payment-response") ?? "";
    const { success, transaction } = JSON.parse(atob(text));
    return success === true && typeof transaction === "string" ? transaction : undefined;
  } catch {
    return undefined;
  }
}
