/** Attacks that have a name, and everything that the fuzzer has found: no find without a line here. */
import type { ReplyKind } from "./backend_replies.ts";
import { framingCases } from "./named_framing.ts";
import { pathCases } from "./named_paths.ts";
import { replyCases } from "./named_replies.ts";

export interface NamedCase {
  readonly name: string;
  /** All that is sent on one connection; `id` gives the request of that number its id. */
  readonly text: (id: (request: number) => string) => string;
  /** Numbers of the requests that reach the backend, in order; absent: whatever the oracle lets pass. */
  readonly arrive?: readonly number[];
  readonly replies?: readonly ReplyKind[];
}

export const namedCases: readonly NamedCase[] = [...pathCases, ...framingCases, ...replyCases];
