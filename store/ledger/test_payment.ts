import type { NewPayment } from "./payment_record.ts";

/** A payment that asks to be reserved; each call makes another one. */
export function newPayment(changes: Partial<NewPayment> = {}): NewPayment {
  return {
    network: "eip155:84532",
    asset: "0x036cbd53842c5426634e7929541ec2318f3dcf7e",
    transferMethod: "eip3009",
    payer: "0x70997970c51812dc3a010c7d01b50e0d17dc79c8",
    nonce: `0x${crypto.getRandomValues(new Uint8Array(32)).toHex()}`,
    route: "shop/prices",
    path: "/paid/**",
    httpMethod: "GET",
    host: "api.example.com",
    amount: 1000n,
    price: "0.001",
    payTo: "0x1f6004907Adc7d313768b85917e069e011150390",
    facilitatorUrl: "https://facilitator.example.com",
    validBefore: BigInt(Math.floor(Date.now() / 1000) + 3_600),
    proof: "proof",
    requestDigest: "digest",
    ...changes,
  };
}
