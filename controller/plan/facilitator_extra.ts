import type { SupportedKind } from "../../store/facilitator_support.ts";
import type { FacilitatorExtra } from "../../store/route_snapshot.ts";

/** They say how a payment is signed, so they come from the manifest and the table of networks alone. */
const ownKeys: readonly string[] = ["name", "version", "assetTransferMethod"];
const extraKey = /^[A-Za-z]\w{0,63}$/;
/** It goes into every 402, whose header has to pass through proxies; real ones have one key or two. */
const maxExtraKeys = 16;
const maxExtraBytes = 1024;

/**
 * What a facilitator's `extra` adds to the terms of payment, in its order: scalars under keys that
 * are not ours. Nothing at all where there is too much: a part could mean something else than the
 * whole.
 */
export function facilitatorExtra(extra: SupportedKind["extra"] = {}): FacilitatorExtra | undefined {
  const entries = Object.entries(extra)
    .filter(([key, value]) => extraKey.test(key) && !ownKeys.includes(key) && isScalar(value));
  if (entries.length === 0 || entries.length > maxExtraKeys) return undefined;
  const taken = Object.fromEntries(entries) as FacilitatorExtra;
  const { length } = new TextEncoder().encode(JSON.stringify(taken));
  return length > maxExtraBytes ? undefined : taken;
}

function isScalar(value: unknown): boolean {
  return typeof value === "string" || typeof value === "boolean" || Number.isFinite(value);
}
