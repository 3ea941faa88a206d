import { ExactEvmScheme } from "@x402/evm/exact/client";
import { wrapFetchWithPayment, x402Client } from "@x402/fetch";
import { createWalletClient, http } from "viem";
import { devAccount } from "../../commands/pay_wallet.ts";
import { baseSepolia } from "./base_sepolia.ts";

/** A `fetch` that answers a 402 with a payment of a dev account. */
export type PayingFetch = (url: string, init?: RequestInit) => Promise<Response>;

/** The published buyer of protocol version 2. It signs only; `send` does the requests. */
export async function buyerV2(account: number, send = fetch): Promise<PayingFetch> {
  const scheme = new ExactEvmScheme(await devAccount(account));
  return wrapFetchWithPayment(send, new x402Client().register("eip155:84532", scheme));
}

/** The published buyer of protocol version 1. */
export async function buyerV1(account: number, send = fetch): Promise<PayingFetch> {
  // Loaded here because it takes 0.25 s, and the demo does without it.
  const { wrapFetchWithPayment } = await import("x402-fetch");
  const wallet = createWalletClient({
    account: await devAccount(account),
    chain: baseSepolia,
    transport: http("http://127.0.0.1:1"), // a buyer signs and never calls the chain
  });
  return wrapFetchWithPayment(send, wallet as unknown as WalletV1);
}

type WalletV1 = Parameters<typeof import("x402-fetch").wrapFetchWithPayment>[1];
