import { hash } from "node:crypto";
import type { CanonicalTarget } from "../routing/canonical_request.ts";

/**
 * SHA-256 of what makes two requests the same to a buyer: method, host, path, query and body. With
 * lengths, so that no two different requests run into the same text.
 */
export function requestDigest(
  method: string,
  { host, path, query }: CanonicalTarget,
  body: Uint8Array | undefined,
): string {
  const parts = [method, host, path, query, body === undefined ? "" : hash("sha256", body)];
  return hash("sha256", JSON.stringify(parts));
}

/** SHA-256 of a signature: shows later that somebody has it, without keeping it. */
export function signatureProof(signature: string): string {
  return hash("sha256", signature.toLowerCase());
}
