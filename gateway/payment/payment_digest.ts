import type { PaymentTerms } from "../../store/route_snapshot.ts";
import { addressWord, bytes32Word, hashWord, textHashWord, uintWord } from "../chain/abi.ts";
import { permit2Address, permit2ProxyAddress } from "../chain/permit2_contracts.ts";
import type { Authorization } from "./payment_header.ts";

const domainWithVersion = textHashWord(
  "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)",
);
const domainWithoutVersion = textHashWord(
  "EIP712Domain(string name,uint256 chainId,address verifyingContract)",
);

const tokenPermissions = "TokenPermissions(address token,uint256 amount)";
const witness = "Witness(address to,uint256 validAfter)";
const types = {
  transferWithAuthorization: textHashWord(
    "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)",
  ),
  permitWitnessTransferFrom: textHashWord(
    "PermitWitnessTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,Witness witness)" +
      tokenPermissions + witness,
  ),
  tokenPermissions: textHashWord(tokenPermissions),
  witness: textHashWord(witness),
};

/**
 * What the payer has signed, by EIP-712: the message of EIP-3009, or Permit2's with the witness of
 * the `exact` scheme (scheme_exact_evm.md), in the domain of the terms.
 *
 * @returns 64 hexadecimal digits; `undefined` if the terms do not name the token's domain
 * @throws {RangeError} for numbers that nobody can sign
 */
export function paymentDigest(
  authorization: Authorization,
  terms: PaymentTerms,
): string | undefined {
  const chainId = /^eip155:(\d{1,78})$/.exec(terms.network)?.[1];
  if (chainId === undefined) return undefined;
  const chain = uintWord(BigInt(chainId));
  if (authorization.method === "permit2") {
    const domain = domainWithoutVersion + textHashWord("Permit2") + chain +
      addressWord(permit2Address);
    return typedDataHash(domain, permit2Message(authorization, terms));
  }
  const { name, version } = terms.extra;
  if (name === undefined || version === undefined) return undefined;
  const domain = domainWithVersion + textHashWord(name) + textHashWord(version) + chain +
    addressWord(terms.asset);
  return typedDataHash(domain, eip3009Message(authorization));
}

function typedDataHash(domain: string, message: string): string {
  return hashWord("1901" + hashWord(domain) + hashWord(message));
}

function eip3009Message(authorization: Authorization): string {
  const { payer, payTo, amount, validAfter, validBefore, nonce } = authorization;
  return types.transferWithAuthorization + addressWord(payer) + addressWord(payTo) +
    uintWord(amount) + uintWord(validAfter) + uintWord(validBefore) + bytes32Word(nonce);
}

function permit2Message(authorization: Authorization, terms: PaymentTerms): string {
  const { payTo, token = terms.asset, amount, validAfter, validBefore, nonce } = authorization;
  const permitted = types.tokenPermissions + addressWord(token) + uintWord(amount);
  const recipient = types.witness + addressWord(payTo) + uintWord(validAfter);
  return types.permitWitnessTransferFrom + hashWord(permitted) +
    addressWord(permit2ProxyAddress) + uintWord(BigInt(nonce)) + uintWord(validBefore) +
    hashWord(recipient);
}
