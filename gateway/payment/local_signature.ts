import type { PaymentTerms } from "../../store/route_snapshot.ts";
import { hashWord } from "../chain/abi.ts";
import { paymentDigest } from "./payment_digest.ts";
import type { Payment } from "./payment_header.ts";

/** Half the order of secp256k1: a larger `s` is the same signature in its other spelling (EIP-2). */
const maxLowS = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;

/**
 * Whether the payer's own key has signed the payment, found out without a facilitator or a chain.
 * Costs about a millisecond of CPU.
 *
 * `false` is not yet "invalid": where the payer is a contract, or an account with a delegate
 * (EIP-7702), any bytes may be what its code accepts, 65 of them too.
 *
 * @returns `undefined` if it cannot be told here: signatures of another length are for contracts
 * (ERC-1271, ERC-6492), and EIP-3009 terms may lack the token's domain
 */
export async function recoversToPayer(
  { message, authorization }: Pick<Payment, "message" | "authorization">,
  terms: PaymentTerms,
): Promise<boolean | undefined> {
  const signature = splitSignature(message.payload.signature.slice(2).toLowerCase());
  if (signature === "of a contract") return undefined;
  if (signature === undefined) return false;
  // Tokens accept each signature in one spelling only, Permit2 in both.
  if (authorization.method === "eip3009" && signature.s > maxLowS) return false;
  try {
    const digest = paymentDigest(authorization, terms);
    if (digest === undefined) return undefined;
    return await recover(digest, signature) === authorization.payer;
  } catch (error) {
    // A number beyond uint256.
    if (error instanceof RangeError) return false;
    throw error;
  }
}

interface Signature {
  /** `r` and `s`, 128 hexadecimal digits. */
  readonly compact: string;
  readonly s: bigint;
  readonly yParity: 0 | 1;
}

/** By the last byte. 27 and 28 are what contracts want; facilitators correct 0 and 1. */
const yParities: Readonly<Record<string, 0 | 1>> = { "00": 0, "01": 1, "1b": 0, "1c": 1 };

/** @returns `undefined` for one with a last byte that none has */
function splitSignature(hex: string): Signature | "of a contract" | undefined {
  const r = hex.slice(0, 64);
  const s = BigInt(`0x${hex.slice(64, 128) || "0"}`);
  if (hex.length === 130) {
    const yParity = yParities[hex.slice(128)];
    return yParity === undefined ? undefined : { compact: hex.slice(0, 128), s, yParity };
  }
  if (hex.length !== 128) return "of a contract";
  // ERC-2098: the highest bit, which a low `s` has no use for, is the parity.
  const lowS = s & (2n ** 255n - 1n);
  const compact = r + lowS.toString(16).padStart(64, "0");
  return { compact, s: lowS, yParity: lowS === s ? 0 : 1 };
}

/** The address in lower case whose key signed the digest, if any could have. */
async function recover(
  digest: string,
  { compact, yParity }: Signature,
): Promise<string | undefined> {
  // Loaded when first needed, which may be never: 30 ms and 14 MB, or 4 ms and 1 MB in a bundle.
  const { secp256k1 } = await import("@noble/curves/secp256k1");
  try {
    const point = secp256k1.Signature.fromCompact(compact)
      .addRecoveryBit(yParity)
      .recoverPublicKey(digest);
    // Without the byte that says "uncompressed".
    return `0x${hashWord(point.toHex(false).slice(2)).slice(24)}`;
  } catch {
    return undefined;
  }
}
