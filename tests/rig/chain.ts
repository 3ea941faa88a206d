import { createRequire } from "node:module";
import { createNonceManager, createTestClient, http, publicActions, walletActions } from "viem";
import { jsonRpc } from "viem/nonce";
import { devAccount } from "../../commands/pay_wallet.ts";
import { baseSepolia } from "./base_sepolia.ts";
import { ChildProcess } from "./child_process.ts";

/** A local Ethereum node that mines a block for every transaction. */
export interface Chain extends AsyncDisposable {
  readonly rpcUrl: string;
  readonly pid: number;
  /** Signs as dev account 0 unless told otherwise. */
  readonly client: ChainClient;
}

export type ChainClient = Awaited<ReturnType<typeof connect>>;

/** Starts anvil on a free port; about 0.1 s. `ANVIL_BIN` names another binary than the package's. */
export async function startChain(): Promise<Chain> {
  const command = [anvilBinary(), "--chain-id", String(baseSepolia.id), "--port", "0"];
  const anvil = new ChildProcess("anvil", [...command, "--host", "127.0.0.1"]);
  try {
    const address = await anvil.find((line) => /^Listening on (\S+)/.exec(line)?.[1]);
    const rpcUrl = `http://${address}`;
    const client = await connect(rpcUrl);
    return {
      rpcUrl,
      pid: anvil.pid,
      client,
      [Symbol.asyncDispose]: () => anvil[Symbol.asyncDispose](),
    };
  } catch (error) {
    await anvil.stop();
    throw error;
  }
}

async function connect(rpcUrl: string) {
  // viem's shared nonce manager would carry the nonces of one chain over to the next.
  const nonceManager = createNonceManager({ source: jsonRpc() });
  const account = { ...await devAccount(0), nonceManager };
  const transport = http(rpcUrl);
  return createTestClient({ account, chain: baseSepolia, mode: "anvil", transport })
    .extend(publicActions)
    .extend(walletActions);
}

/** Only this platform's package is pinned: the lock file cannot choose one of several. */
function anvilBinary(): string {
  const named = Deno.env.get("ANVIL_BIN");
  if (named !== undefined) return named;
  const platform = `${Deno.build.os}-${Deno.build.arch}`;
  if (platform !== "linux-x86_64") {
    throw new Error(
      `The local chain needs anvil, and none is bundled for ${platform}; install Foundry or the npm package @foundry-rs/anvil 1.7.1 and set ANVIL_BIN to the binary.`,
    );
  }
  return createRequire(import.meta.url).resolve("@foundry-rs/anvil-linux-amd64/bin/anvil");
}
