/** Opens the ledger in the file of the first argument, reserves a payment, and ends. */
import { openLedger } from "../../store/ledger/open_ledger.ts";
import { defaultLedgerSettings } from "../../store/ledger/payment_ledger.ts";
import { newPayment } from "../../store/ledger/test_payment.ts";

const ledger = await openLedger(Deno.args[0]!, { sync: "normal", settings: defaultLedgerSettings });
await ledger.payments.reserve(newPayment());
await ledger.close();
