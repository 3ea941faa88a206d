import { readPaymentRequired } from "./pay_offer.ts";
import type { Terminal } from "./pay_terminal.ts";

/**
 * Prints status and body of a reply, and for a paid request the receipt; returns the exit code. A
 * redirect is told and counts as failed: it is neither the goods nor a word about their price.
 */
export async function printReply(reply: Response, paid: boolean, io: Terminal): Promise<0 | 1> {
  const location = reply.status >= 300 && reply.status < 400 ? reply.headers.get("location") : null;
  if (!paid && location === null) io.say("No payment is asked for.");
  io.say(`Status: ${reply.status} ${reply.statusText}`.trimEnd());
  if (paid && reply.status === 402) {
    io.say(`Refused: ${reasonOf(reply.headers, await reply.text())}`);
    return 1;
  }
  if (location !== null) io.say(`Location: ${location} (redirects are not followed)`);
  const complete = await printBody(reply, io);
  const receiptIsGood = !paid || printReceipt(reply.headers, io);
  return complete && receiptIsGood && location === null && reply.status < 400 ? 0 : 1;
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

/**
 * PAYMENT-RESPONSE of version 2 or X-PAYMENT-RESPONSE of version 1: base64 of JSON. Returns `false`
 * when it says that the payment failed.
 */
function printReceipt(headers: Headers, io: Terminal): boolean {
  const header = headers.get("payment-response") ?? headers.get("x-payment-response");
  if (header === null) {
    io.say("Receipt: none; the server does not say that it was paid.");
    return true;
  }
  const receipt = readReceipt(header);
  if (receipt === undefined) {
    io.say("Receipt: the server sent one that cannot be read.");
    return true;
  }
  const paid = receipt.success === true;
  io.say(paid ? "Receipt: paid" : `Receipt: failed, ${asText(receipt.errorReason ?? "no reason")}`);
  for (const field of ["transaction", "network", "payer"]) {
    if (receipt[field] !== undefined) io.say(`  ${field}: ${asText(receipt[field])}`);
  }
  return paid;
}

function readReceipt(header: string): Record<string, unknown> | undefined {
  try {
    const receipt = JSON.parse(new TextDecoder().decode(Uint8Array.fromBase64(header)));
    return receipt instanceof Object ? receipt : undefined;
  } catch {
    return undefined;
  }
}

/** Servers put anything into these fields. */
function asText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
