/** A node of a chain of millions of blocks, which exist only as far as they are asked for. */
import type { SignedTransfer } from "../../gateway/chain/on_chain.ts";

/** Seconds of Unix time at block 0, and from one to the next. */
const genesis = 1_700_000_000;
const blockSeconds = 2;
export const head = 20_000_000;

/** A call to the node; `block` is the one whose state is asked for, or the first of a range. */
export interface LongChainCall {
  readonly method: string;
  readonly block: number;
  /** Blocks of the range. */
  readonly count: number;
}

/** What it answers instead of its own; a promise that does not resolve ends with the caller. */
export type Answer = (call: LongChainCall) => object | Promise<object | undefined> | undefined;

export const network = "eip155:84532";

/** A payment of a month before the head, which can be used for `seconds`. */
export function oldPayment(seconds: number, method: SignedTransfer["method"] = "eip3009") {
  const start = timeOf(head) - 30 * 86_400;
  return {
    network,
    asset: `0x${"a".repeat(40)}`,
    method,
    payer: `0x${"b".repeat(40)}`,
    payTo: `0x${"c".repeat(40)}`,
    amount: 1000n,
    nonce: method === "eip3009" ? `0x${"d".repeat(64)}` : "0",
    validBefore: BigInt(start + seconds),
    since: start * 1000,
  } satisfies SignedTransfer;
}

/** The block of a Unix time in seconds. */
export function blockAt(seconds: number | bigint): number {
  return Math.ceil((Number(seconds) - genesis) / blockSeconds);
}

export function refusal(message: string) {
  return { error: { code: -32000, message } };
}

/** A node by whose state the payment is used, and which has no logs, unless `answer` knows better. */
export function startLongChain(answer: Answer = () => undefined) {
  const calls: LongChainCall[] = [];
  const waiting = { now: 0, most: 0 };
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    async (request) => {
      const { id, method, params } = await request.json();
      const call = callOf(method, params);
      calls.push(call);
      waiting.most = Math.max(waiting.most, ++waiting.now);
      const gone = Promise.withResolvers<object>();
      request.signal.addEventListener("abort", () => gone.resolve({}));
      const other = await Promise.race([answer(call), gone.promise]);
      waiting.now--;
      return Response.json({ jsonrpc: "2.0", id, ...other ?? good(call) });
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    calls,
    /** Calls under way: now, and at most at the same time. */
    waiting,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

// deno-lint-ignore no-explicit-any -- whatever the method has
function callOf(method: string, params: any): LongChainCall {
  const call = { method, block: head, count: 0 };
  if (method === "eth_call") return { ...call, block: Number(params[1].blockHash) };
  if (method === "eth_getLogs") {
    const { fromBlock, toBlock } = params[0];
    return { ...call, block: Number(fromBlock), count: Number(toBlock) - Number(fromBlock) + 1 };
  }
  const isNumbered = method === "eth_getBlockByNumber" && params[0] !== "latest";
  return isNumbered ? { ...call, block: Number(params[0]) } : call;
}

function good({ method, block }: LongChainCall): object {
  switch (method) {
    case "eth_chainId":
      return { result: `0x${Number(network.slice(7)).toString(16)}` };
    case "eth_getBlockByNumber":
      return { result: { number: hex(block), hash: word(block), timestamp: hex(timeOf(block)) } };
    case "eth_call":
      return { result: word(1) };
    default:
      return { result: [] };
  }
}

function timeOf(block: number): number {
  return genesis + block * blockSeconds;
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

export function word(value: number): string {
  return `0x${value.toString(16).padStart(64, "0")}`;
}
