import type { Ledger } from "../../store/ledger/ledger.ts";
import type { PaymentRecord } from "../../store/ledger/payment_record.ts";
import type { PaymentState } from "../../store/ledger/payment_state.ts";

/**
 * Resolves with the payment that was begun last once it is in one of these states. What follows a
 * reply is written after the buyer has it, and no event of the gateway tells of that.
 */
export async function paymentBecomes(
  { history }: Ledger,
  ...states: PaymentState[]
): Promise<PaymentRecord> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const last = (await Array.fromAsync(history.list())).at(-1);
    if (last !== undefined && states.includes(last.state)) return last;
    if (Date.now() > deadline) throw new Error(`the last payment is ${last?.state}, not ${states}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
