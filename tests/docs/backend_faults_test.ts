/** What docs/faults.md says of backends that fail: who is charged, and what the same payment gets. */
import assert from "node:assert/strict";
import type { PaymentState } from "../../store/ledger/payment_state.ts";
import type { PaymentTerms } from "../../store/route_snapshot.ts";
import { signPayment, usdcRequirements } from "../rig/sign_payment.ts";
import { paymentBecomes } from "../support/payment_becomes.ts";
import { startScriptedFacilitator } from "../support/scripted_facilitator.ts";
import { rule, snapshotOf, startTestGateway, usdcTerms } from "../support/test_gateway.ts";

type Fault = "closes before it answers" | "never answers" | "breaks off its reply" | "answers 404";

interface Outcome {
  readonly status: number;
  readonly settlements: number;
  readonly state: PaymentState;
  /** Status of the same payment once the backend is well. */
  readonly again: number;
}

const fetchable = { settlements: 1, state: "undelivered", again: 200 } as const;
const free = { settlements: 0, state: "released", again: 402 } as const;
const outcomes: Record<PaymentTerms["settle"], Record<Fault, Outcome>> = {
  "after-response": {
    "closes before it answers": { status: 502, ...free },
    "never answers": { status: 504, ...free },
    "breaks off its reply": { status: 200, ...fetchable },
    "answers 404": { status: 404, ...free },
  },
  "before-request": {
    "closes before it answers": { status: 502, ...fetchable },
    "never answers": { status: 504, ...fetchable },
    "breaks off its reply": { status: 200, ...fetchable },
    "answers 404": { status: 404, settlements: 1, state: "delivered", again: 402 },
  },
};

const bytes = new TextEncoder();
const answers: Record<Fault | "well", string | undefined> = {
  "closes before it answers": "",
  "never answers": undefined,
  "breaks off its reply": "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nfirst",
  "answers 404": "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
  "well": "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nwell",
};

/** Answers each connection once, and closes it unless there is no answer. */
function startBackend(fault: Fault) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open: Deno.Conn[] = [];
  const backend = { state: fault as Fault | "well", requests: 0 };
  const serving = (async () => {
    for await (const connection of listener) {
      open.push(connection);
      await connection.read(new Uint8Array(64 * 1024));
      backend.requests++;
      const answer = answers[backend.state];
      if (answer === undefined) continue;
      if (answer !== "") await connection.write(bytes.encode(answer));
      connection.close();
      open.pop();
    }
  })();
  return Object.assign(backend, {
    url: `http://127.0.0.1:${listener.addr.port}`,
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const connection of open) connection.close();
      await serving;
    },
  });
}

for (const settle of ["after-response", "before-request"] as const) {
  for (const [fault, expected] of Object.entries(outcomes[settle])) {
    Deno.test(`${settle}: a backend that ${fault}: who is charged, and what comes again`, async () => {
      await using backend = startBackend(fault as Fault);
      await using facilitator = startScriptedFacilitator();
      const terms = usdcTerms(facilitator.url, { settle });
      const snapshot = snapshotOf(backend.url, [rule("/paid", { kind: "paid", terms })]);
      const proxy = { connectOrHeadMs: 300, idleMs: 5_000, maxBodyBytes: Infinity };
      await using gateway = startTestGateway(snapshot, {
        proxy: { ...proxy, maxChunkedBodyBytes: Infinity },
      });
      const requirements = usdcRequirements(2, terms.amount, terms.payTo);
      const { header } = await signPayment({ version: 2, buyer: 1, requirements });
      const pay = () => fetch(`${gateway.url}/paid`, { headers: [header] });

      const reply = await pay();
      assert.equal(reply.status, expected.status);
      assert.equal(reply.headers.has("payment-response"), expected.settlements > 0, "a receipt");
      const body = reply.text();
      if (fault === "breaks off its reply") await assert.rejects(body);
      else await body;
      await paymentBecomes(gateway.ledger, expected.state);
      assert.equal(backend.requests, 1, "called once");

      backend.state = "well";
      const again = await pay();
      await again.body?.cancel();
      assert.equal(again.status, expected.again);
      assert.equal(facilitator.received["/settle"].length, expected.settlements, "charged once");
      assert.equal(backend.requests, expected.again === 200 ? 2 : 1);
    });
  }
}
