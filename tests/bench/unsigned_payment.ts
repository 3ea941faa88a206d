/** Account 1 of the public test mnemonic; nobody's money. */
const payer = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

/** How long the payments are valid, in seconds: longer than any load. */
const validity = 3600;

/**
 * `PAYMENT-SIGNATURE` lines (x402-specification-v2.md, section 5.2), each with a nonce of its own.
 * They pass every check of the gateway; nobody signed them, which only a stub accepts.
 * @param accepted the entry of the challenge's `accepts` that is paid
 */
export function paymentHeaders(
  accepted: Readonly<Record<string, unknown>>,
  count: number,
): string[] {
  const now = Math.floor(Date.now() / 1000);
  const authorization = {
    from: payer,
    to: accepted.payTo,
    value: accepted.amount,
    validAfter: String(now - 600),
    validBefore: String(now + validity),
  };
  return Array.from({ length: count }, () => {
    const nonce = `0x${crypto.getRandomValues(new Uint8Array(32)).toHex()}`;
    const payload = {
      signature: "0x" + "1b".repeat(65),
      authorization: { ...authorization, nonce },
    };
    const message = { x402Version: 2, payload, accepted };
    return `payment-signature: ${btoa(JSON.stringify(message))}\r\n`;
  });
}
