/**
 * A real facilitator as a program of its own (an unreachable chain ends in an unhandled rejection
 * inside the library, which would kill the process of the tests). Usage:
 * `facilitator_process.ts RPC_URL [PORT]`; prints `{"listening": URL}`.
 */
import { x402Facilitator } from "@x402/core/facilitator";
import type { Network } from "@x402/core/types";
import { toFacilitatorEvmSigner } from "@x402/evm";
import { ExactEvmScheme } from "@x402/evm/exact/facilitator";
import { ExactEvmSchemeV1 } from "@x402/evm/exact/v1/facilitator";
import { createNonceManager, createWalletClient, http, publicActions } from "viem";
import { jsonRpc } from "viem/nonce";
import { devAccount } from "../../commands/pay_wallet.ts";
import { baseSepolia } from "./base_sepolia.ts";

/** The library types names as CAIP-2 ids, which version 1 does not have. */
const networkV1: string = "base-sepolia";

/** Pays the gas of the settlements. */
const facilitatorAccount = 1;

async function createFacilitator(rpcUrl: string): Promise<x402Facilitator> {
  const account = {
    ...await devAccount(facilitatorAccount),
    // Settlements run in parallel and must not take the same account nonce.
    nonceManager: createNonceManager({ source: jsonRpc() }),
  };
  const client = createWalletClient({
    account,
    chain: baseSepolia,
    transport: http(rpcUrl),
    pollingInterval: 20,
  }).extend(publicActions);
  const signer = toFacilitatorEvmSigner(
    { ...client, address: account.address } as unknown as Parameters<
      typeof toFacilitatorEvmSigner
    >[0],
    { confirmationTimeoutMs: 10_000 },
  );
  return new x402Facilitator()
    .register("eip155:84532", new ExactEvmScheme(signer))
    .registerV1(networkV1 as Network, new ExactEvmSchemeV1(signer));
}

function serve(facilitator: x402Facilitator, port: number): void {
  Deno.serve({
    hostname: "127.0.0.1",
    port,
    onListen: (address) => {
      // deno-lint-ignore no-console -- how the starter learns the port
      console.log(JSON.stringify({ listening: `http://127.0.0.1:${address.port}` }));
    },
  }, async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/supported") return Response.json(facilitator.getSupported());
    if (pathname !== "/verify" && pathname !== "/settle") {
      return Response.json({ error: "not found" }, { status: 404 });
    }
    try {
      const { paymentPayload, paymentRequirements } = await request.json();
      return Response.json(
        pathname === "/verify"
          ? await facilitator.verify(paymentPayload, paymentRequirements)
          : await facilitator.settle(paymentPayload, paymentRequirements),
      );
    } catch (error) {
      return Response.json({ error: (error as Error).message }, { status: 500 });
    }
  });
}

const [rpcUrl = "", port = "0"] = Deno.args;
serve(await createFacilitator(rpcUrl), Number(port));
