/**
 * What facilitators say in words of their own. Codes are one token and can go anywhere; everything
 * else can hold the address of the facilitator's node with a key in it, or characters that a header
 * or PostgreSQL refuses, so it goes to the log only.
 */

const code = /^[a-z0-9_]{1,100}$/;

/** @returns the reason if it is a code as the specification has them (section 9) */
export function asCode(reason: string | null | undefined): string | undefined {
  return reason && code.test(reason) ? reason : undefined;
}

/** In codes and sentences: whatever was meant, it is not decided yet. */
const open = /pending|time[ds]?[ _-]?out|unexpected/i;

export function leavesOpen(words: string | null | undefined): boolean {
  return !!words && open.test(words);
}

/**
 * How codes begin that facilitators give before they send a transaction: those of the specification
 * and of the published facilitators (@x402/evm, x402) when they verify once more before they settle.
 */
const beforeSending =
  /^(?:invalid|insufficient|unsupported|expired|permit2|eip2612|eip6492|erc20_approval)_/;
/** Without such a beginning: the first two refuse, the third is a wallet that could not be deployed. */
const otherRefusals: ReadonlySet<string> = new Set([
  "payment_expired",
  "asset_not_deployed_contract",
  "smart_wallet_deployment_failed",
]);
/** Like those, but of a transaction, of the event that it should have left, or of a broken node. */
const afterSending =
  /transaction|transfer|settle|broadcast|submit|confirm|rpc|node_|unavailable|error|(?<!_simulation)_failed$/;
/** The one refusal that speaks of a transaction before there is one. */
const simulated = /_simulation_failed$/;

/** Whether a code says that the transfer was never sent. Unknown codes say nothing. */
export function isRefusal(code: string): boolean {
  if (leavesOpen(code)) return false;
  if (otherRefusals.has(code)) return true;
  return beforeSending.test(code) && (simulated.test(code) || !afterSending.test(code));
}

/**
 * Whether a code says that a transaction failed. Facilitators give the same code when a node took
 * the transaction and its answer was lost, so it says nothing unless the transaction is named.
 */
export function isReverted(code: string): boolean {
  return /_transaction_failed$|^invalid_transaction_state$/.test(code);
}

/** Characters that are looked at, and that are left. */
const maxHeard = 2_000;
const maxLogged = 200;
/** Also with slashes that JSON has escaped. */
const url = /\b[a-z][a-z0-9+.-]{0,15}:(?:\\*\/){2}[^\s"'<>]*/gi;

/** Words for the log: in one line, URLs without paths and credentials, at most 200 characters. */
export function forLog(words: string): string {
  return words.slice(0, maxHeard).replace(url, originOf).replace(/\p{C}+/gu, " ").trim()
    .slice(0, maxLogged);
}

function originOf(text: string): string {
  const origin = URL.parse(text.replaceAll("\\", ""))?.origin;
  // Of a scheme that is unknown here.
  return origin === undefined || origin === "null" ? "(a URL)" : origin;
}
