import type { PaymentState } from "../../store/ledger/payment_state.ts";
import type { PaymentTerms } from "../../store/route_snapshot.ts";
import { startPaidApi } from "../rig/paid_api.ts";
import { type PaymentToSign, signPayment, usdcRequirements } from "../rig/sign_payment.ts";
import { paymentBecomes } from "./payment_becomes.ts";
import { startScriptedFacilitator } from "./scripted_facilitator.ts";
import { rule, snapshotOf, startTestGateway, usdcTerms } from "./test_gateway.ts";

/**
 * A gateway with paid paths, its backend, and a facilitator that is told what to say.
 */
export function paymentBed(changes: Partial<PaymentTerms> = {}) {
  const api = startPaidApi();
  const facilitator = startScriptedFacilitator();
  const terms = usdcTerms(facilitator.url, changes);
  const gateway = startTestGateway(snapshotOf(api.url, [
    rule("/paid/**", { kind: "paid", terms }),
    rule("/slow", { kind: "paid", terms }),
    rule("/stream", { kind: "paid", terms }),
  ]));
  const sign = async (change: Partial<PaymentToSign> = {}) => {
    const version = change.version ?? 2;
    const requirements = usdcRequirements(version, terms.amount, terms.payTo);
    return (await signPayment({ version, buyer: 1, requirements, ...change })).header;
  };
  return {
    api,
    facilitator,
    gateway,
    terms,
    sign,
    fetch: (path: string, header: [string, string], init: RequestInit = {}) =>
      fetch(gateway.url + path, { ...init, headers: [header, ...(init.headers as [] ?? [])] }),
    settlements: () => facilitator.received["/settle"].length,
    /** Resolves when the payment that was begun last is in this state. */
    becomes: (state: PaymentState) => paymentBecomes(gateway.ledger, state),
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await facilitator[Symbol.asyncDispose]();
      await api[Symbol.asyncDispose]();
    },
  };
}
