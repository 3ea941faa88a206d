import assert from "node:assert/strict";
import {
  find,
  makePayment,
  type Misbehave,
  network,
  type NodeCall,
  send,
  startNode,
  startUsdcChain,
} from "../../tests/support/usdc_payments.ts";
import { ChainReader } from "./chain_reader.ts";
import { ChainError } from "./on_chain.ts";

/** Changes the result of one method. */
function result(method: string, change: (call: NodeCall) => unknown): Misbehave {
  return (call) => call.method === method ? { result: change(call) } : undefined;
}

function answer(method: string, response: () => Response): Misbehave {
  return (call) => call.method === method ? response() : undefined;
}

const otherHash = `0x${"1".repeat(64)}`;

const contradictions: Readonly<Record<string, [RegExp, Misbehave]>> = {
  "on another chain": [
    /on eip155:8453, not on eip155:84532/,
    result("eth_chainId", () => "0x2105"),
  ],
  "that does not know its chain": [/eth_chainId/, result("eth_chainId", () => "84532")],
  "with logs of another payer": [
    /not asked for/,
    result("eth_getLogs", ({ result: [log] }) => [{
      ...log,
      topics: [log.topics[0], otherHash, log.topics[2]],
    }]),
  ],
  "with logs of another token": [
    /not asked for/,
    result("eth_getLogs", ({ result: [log] }) => [{ ...log, address: `0x${"1".repeat(40)}` }]),
  ],
  "with logs of later blocks": [
    /not asked for/,
    result("eth_getLogs", ({ result: [log] }) => [{ ...log, blockNumber: "0xffff" }]),
  ],
  "with logs that a reorganisation removed": [
    /removed/,
    result("eth_getLogs", ({ result: [log] }) => [{ ...log, removed: true }]),
  ],
  "without logs of a use": [/is in no log/, result("eth_getLogs", () => [])],
  "with a receipt of another block": [
    /changed while it was read/,
    result("eth_getTransactionReceipt", (call) => ({ ...call.result, blockHash: otherHash })),
  ],
  "with a receipt of another transaction": [
    /changed while it was read/,
    result("eth_getTransactionReceipt", (call) => ({ ...call.result, transactionHash: otherHash })),
  ],
  "with the receipt of a reverted transaction": [
    /status/,
    result("eth_getTransactionReceipt", (call) => ({ ...call.result, status: "0x0" })),
  ],
  "without a transfer after the use": [
    /no transfer follows the use/,
    result("eth_getTransactionReceipt", (call) => ({
      ...call.result,
      logs: call.result.logs.slice(0, 1),
    })),
  ],
  "without the receipt": [
    /eth_getTransactionReceipt/,
    result("eth_getTransactionReceipt", () => null),
  ],
  "with a state that is neither": [
    /authorizationState of 2/,
    result("eth_call", () => `0x${"2".padStart(64, "0")}`),
  ],
  "without the token": [/eth_call/, result("eth_call", () => "0x")],
  "without the block": [/eth_getBlockByNumber/, result("eth_getBlockByNumber", () => null)],
  "with a block that was replaced meanwhile": [
    /changed while it was read/,
    result(
      "eth_getBlockByNumber",
      ({ params, result: block }) => params[0] === "latest" ? block : { ...block, hash: otherHash },
    ),
  ],
  "with a block of another number": [
    /was asked for/,
    result("eth_getBlockByNumber", (call) => ({
      ...call.result,
      number: call.params[0] === "latest" ? call.result.number : "0x1",
    })),
  ],
  "that answers with HTML": [
    /no JSON-RPC/,
    answer("eth_call", () => new Response("<html>Welcome</html>")),
  ],
  "that answers another call": [
    /no JSON-RPC/,
    (call) => call.method === "eth_call" ? { id: 99 } : undefined,
  ],
  "that has too many requests": [
    /status 429/,
    answer(
      "eth_getLogs",
      () => Response.json({ id: 1, error: { code: 429, message: "slow down" } }, { status: 429 }),
    ),
  ],
  "that fails": [/status 502/, answer("eth_call", () => new Response("", { status: 502 }))],
  "that leads elsewhere": [
    /status 307/,
    answer("eth_call", () => new Response("", { status: 307, headers: { location: "/" } })),
  ],
  "that refuses everything": [
    /refused: -32000 no/,
    (call) =>
      call.method === "eth_getLogs" ? { error: { code: -32000, message: "no" } } : undefined,
  ],
  "that hangs": [
    /not answered in 300 ms/,
    (call) => call.method === "eth_call" ? new Promise<Response>(() => {}) : undefined,
  ],
  "that stops in the middle of its answer": [
    /not answered in 300 ms/,
    (call) => call.method === "eth_call" ? new Response(endless()) : undefined,
  ],
};

function endless(): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (stream) => stream.enqueue(new Uint8Array([123])) });
}

Deno.test("no node decides about money", async (t) => {
  await using chain = await startUsdcChain();
  const { transfer, call } = await makePayment(chain);
  await send(chain, [call]);
  for (const [name, [message, misbehave]] of Object.entries(contradictions)) {
    await t.step(name, async () => {
      await using node = startNode(chain, misbehave);
      await assert.rejects(find(node.url, transfer, { timeoutMs: 300 }), (error: Error) => {
        assert.match(error.message, message);
        return error instanceof ChainError;
      });
    });
  }
});

Deno.test("a node that was on another chain or away is asked again", async () => {
  await using chain = await startUsdcChain();
  const { transfer } = await makePayment(chain);
  let chainId: string | undefined = "0x1";
  await using node = startNode(
    chain,
    ({ method }) => method === "eth_chainId" && chainId ? { result: chainId } : undefined,
  );
  const reader = new ChainReader(new Map([[network, node.url]]), { confirmations: 0n });
  await assert.rejects(reader.find(transfer), ChainError);
  chainId = undefined;
  assert.equal((await reader.find(transfer)).kind, "unused");
  assert.equal((await reader.find(transfer)).kind, "unused");
  assert.equal(node.methods.filter((method) => method === "eth_chainId").length, 2);
  reader.close();
});

Deno.test("no error shows an API key", async () => {
  await using chain = await startUsdcChain();
  const { transfer } = await makePayment(chain);
  const secret = "SECRET+key/1";
  const urlOf = (base: string) => `${base}/k3y/${encodeURIComponent(secret)}?apikey=OTHERSECRET`;
  await using echo = startNode(
    chain,
    ({ method }) =>
      method === "eth_call"
        ? { error: { code: 1, message: `${secret} and OTHERSECRET in ${urlOf(echo.url)}` } }
        : undefined,
  );
  const closed = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = closed.addr;
  closed.close();
  for (const base of [echo.url, `http://127.0.0.1:${port}`, "http://nowhere.invalid"]) {
    const error = await find(urlOf(base), transfer).then(() => assert.fail(), (error) => error);
    const shown = Deno.inspect(error, { depth: 20 });
    assert.doesNotMatch(shown, /SECRET|k3y/);
    assert.ok(shown.includes(new URL(base).host), shown);
    assert.equal(error.name.startsWith("Chain") || error.name === "RpcRefusal", true, shown);
  }
});
