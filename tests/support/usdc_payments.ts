/** Payments on a real chain, and nodes that behave badly. */
import { type Address, encodeFunctionData, type Hex, parseAbi } from "viem";
import { devAccount } from "../../commands/pay_wallet.ts";
import { baseSepolia } from "../rig/base_sepolia.ts";
import { type Chain, startChain } from "../rig/chain.ts";
import { type Authorization, signPayment, usdcRequirements } from "../rig/sign_payment.ts";
import { deployUsdc, usdcAddress } from "../rig/usdc.ts";
import { ChainReader, type ChainReaderSettings } from "../../gateway/chain/chain_reader.ts";
import type { OnChain, SignedTransfer } from "../../gateway/chain/on_chain.ts";

export const network = `eip155:${baseSepolia.id}`;
/** Dev accounts. */
export const buyer = 3;
const merchant = 2;
const multicall3: Address = "0xcA11bde05977b3631167028862bE2a173976CA11";

const tokenAbi = parseAbi([
  "function transferWithAuthorization(address from, address to, uint256 value, uint256 validAfter, uint256 validBefore, bytes32 nonce, bytes signature)",
  "function cancelAuthorization(address authorizer, bytes32 nonce, bytes signature)",
]);
const multicallAbi = parseAbi([
  "function aggregate3((address target, bool allowFailure, bytes callData)[] calls) returns ((bool, bytes)[])",
]);

/** A chain with USDC and a buyer who has some. */
export async function startUsdcChain(): Promise<Chain> {
  const chain = await startChain();
  const usdc = await deployUsdc(chain);
  await usdc.mint((await devAccount(buyer)).address, 1_000_000_000n);
  return chain;
}

/** A payment as the buyer signed it, and what the gateway knows of it. */
export interface TestPayment {
  readonly transfer: SignedTransfer;
  /** Arguments of `transferWithAuthorization` in one of its two forms. */
  readonly call: Hex;
}

/** Valid for an hour by the chain's clock. */
export async function makePayment(
  { client }: Chain,
  authorization: Partial<Authorization> = {},
): Promise<TestPayment> {
  const { address: payTo } = await devAccount(merchant);
  const requirements = usdcRequirements(2, "1000", payTo);
  const { timestamp } = await client.getBlock();
  const signed = await signPayment({
    version: 2,
    buyer,
    requirements,
    authorization: { validBefore: String(timestamp + 3600n), ...authorization },
  });
  const { from, to, value, validAfter, validBefore, nonce } = signed.authorization;
  const { signature } = signed.message.payload as { signature: Hex };
  return {
    transfer: {
      network,
      asset: usdcAddress,
      method: "eip3009",
      payer: from.toLowerCase(),
      payTo,
      amount: 1000n,
      nonce,
      validBefore: BigInt(validBefore),
      since: Number(timestamp) * 1000,
    },
    call: encodeFunctionData({
      abi: tokenAbi,
      functionName: "transferWithAuthorization",
      args: [from, to, BigInt(value), BigInt(validAfter), BigInt(validBefore), nonce, signature],
    }),
  };
}

/** Arguments of `cancelAuthorization`. */
export async function cancelCall({ transfer }: TestPayment): Promise<Hex> {
  const account = await devAccount(buyer);
  const nonce = transfer.nonce as Hex;
  const authorizer = account.address;
  const signature = await account.signTypedData({
    domain: {
      name: "USDC",
      version: "2",
      chainId: baseSepolia.id,
      verifyingContract: usdcAddress,
    },
    types: {
      CancelAuthorization: [
        { name: "authorizer", type: "address" },
        { name: "nonce", type: "bytes32" },
      ],
    },
    primaryType: "CancelAuthorization",
    message: { authorizer, nonce },
  });
  const args = [authorizer, nonce, signature] as const;
  return encodeFunctionData({ abi: tokenAbi, functionName: "cancelAuthorization", args });
}

/** Sends calls to the token, all in one transaction if there are several; returns its hash. */
export async function send(
  { client }: Chain,
  calls: readonly Hex[],
  sender = 0,
): Promise<string> {
  const account = sender === 0 ? client.account : await devAccount(sender);
  const [data] = calls;
  const hash = calls.length === 1
    ? await client.sendTransaction({ account, to: usdcAddress, data: data! })
    : await client.writeContract({
      account,
      address: multicall3,
      abi: multicallAbi,
      functionName: "aggregate3",
      args: [
        calls.map((callData) => ({
          target: usdcAddress as Address,
          allowFailure: false,
          callData,
        })),
      ],
    });
  await client.waitForTransactionReceipt({ hash, pollingInterval: 10 });
  return hash;
}

/** A call to a node, and the result that a good one has for it. */
export interface NodeCall {
  readonly method: string;
  readonly params: readonly unknown[];
  // deno-lint-ignore no-explicit-any -- whatever the method has
  readonly result: any;
}

/**
 * What a bad node answers instead: something else than JSON-RPC, or other members of the answer;
 * `undefined` passes the good answer on; a promise that never resolves ends with the caller.
 */
export type Misbehave = (call: NodeCall) => Response | Promise<Response> | object | undefined;

/** A node in front of a chain's. */
export function startNode(chain: Chain, misbehave: Misbehave) {
  const methods: string[] = [];
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    async (request) => {
      const body = await request.text();
      const { method, params } = JSON.parse(body);
      methods.push(method);
      const headers = { "content-type": "application/json" };
      const good = await (await fetch(chain.rpcUrl, { method: "POST", headers, body })).json();
      const gone = Promise.withResolvers<Response>();
      request.signal.addEventListener("abort", () => gone.resolve(new Response()));
      const answer = await Promise.race([
        misbehave({ method, params, result: good.result }),
        gone.promise,
      ]);
      return answer instanceof Response ? answer : Response.json({ ...good, ...answer });
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    /** The calls so far. */
    methods,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** One look at the chain, by default as of its last block: anvil makes one per transaction only. */
export async function find(
  url: string,
  transfer: SignedTransfer,
  settings: Partial<ChainReaderSettings> = {},
): Promise<OnChain> {
  const reader = new ChainReader(new Map([[network, url]]), {
    confirmations: 0n,
    timeoutMs: 10_000,
    ...settings,
  });
  try {
    return await reader.find(transfer);
  } finally {
    reader.close();
  }
}
