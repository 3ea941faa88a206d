import { readPaymentRequired } from "./pay_offer.ts";
import type { Terminal } from "./pay_terminal.ts";

/** Prints status and body of a reply, and for a paid request the receipt; returns the exit code. */
export async function printReply(reply: Response, paid: boolean, io: Terminal): Promise<0 | 1> {
  io.say(`Status: ${reply.status} ${reply.statusText}`.trimEnd());
  if (paid && reply.status === 402) {
    io.say(`Refused: ${reasonOf(reply.headers, await reply.text())}`);
    return 1;
  }
  const complete = await printBody(reply, io);
  if (paid) printReceipt(reply.headers, io);
  return complete && reply.status < 400 ? 0 : 1;
}

/** Streams the body; `false` when the connection broke before its end. */
async function printBody(reply: Response, io: Terminal): Promise<boolean> {
  try {
    for await (const chunk of reply.body ?? []) io.write(chunk);
    return true;
  } catch (error) {
    io.say(`The body broke off: ${(error as Error).message}`);
    return false;
  }
}

function reasonOf(headers: Headers, body: string): string {
  try {
    return readPaymentRequired(headers, body, "auto").error || "the server gives no reason";
  } catch {
    return "the server gives no reason";
  }
}

/** PAYMENT-RESPONSE of version 2 or X-PAYMENT-RESPONSE of version 1: base64 of JSON. */
function printReceipt(headers: Headers, io: Terminal): void {
  const header = headers.get("payment-response") ?? headers.get("x-payment-response");
  if (header === null) return io.say("Receipt: none; the server does not say that it was paid.");
  let receipt;
  try {
    receipt = JSON.parse(new TextDecoder().decode(Uint8Array.fromBase64(header)));
  } catch {
    return io.say("Receipt: the server sent one that cannot be read.");
  }
  io.say(receipt?.success === true ? "Receipt: paid" : `Receipt: failed, ${receipt?.errorReason}`);
  for (const field of ["transaction", "network", "payer"]) {
    if (receipt?.[field] !== undefined) io.say(`  ${field}: ${receipt[field]}`);
  }
}
