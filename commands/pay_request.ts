import type { KnownAsset } from "../crd/networks.ts";
import { amountPattern, formatTokenAmount, parseTokenAmount } from "./pay_amount.ts";
import { PayError } from "./pay_error.ts";
import { exchange, type PayRequest, refuseUnusableBody } from "./pay_exchange.ts";
import { findToken, type Offer, readPaymentRequired } from "./pay_offer.ts";
import { printReply } from "./pay_reply.ts";
import { signOffer } from "./pay_signature.ts";
import { type Terminal, terminal } from "./pay_terminal.ts";
import { devAccount, readPrivateKeyFile } from "./pay_wallet.ts";

/** What `pay` is asked to do. */
export interface PayOptions extends PayRequest {
  /** This or `devAccount` names the wallet. */
  readonly privateKeyFile?: string;
  readonly devAccount?: number;
  /** Decimal, in the token's unit; absent: the terminal asks. */
  readonly maxAmount?: string;
  readonly protocol: "auto" | "1" | "2";
}

/** Offers and reasons printed of a 402; a hostile one has thousands. */
const maxShown = 10;

/**
 * Requests a URL and pays if it asks for at most the limit: the offer, status, body and receipt go
 * to `io`. Returns the exit code: 0 success, 1 refused or failed, 2 wrong usage.
 */
export async function runPay(options: PayOptions, io: Terminal = terminal()): Promise<number> {
  try {
    return await pay(options, io);
  } catch (error) {
    if (!(error instanceof PayError)) throw error;
    io.say(`error: ${error.message}`);
    return error.exitCode;
  }
}

async function pay(options: PayOptions, io: Terminal): Promise<number> {
  if (options.privateKeyFile === undefined && options.devAccount === undefined) {
    throw new PayError("No wallet is given; use --private-key-file or --dev-account.", 2);
  }
  if (options.maxAmount === undefined && io.ask === undefined) {
    throw new PayError("No price limit is given; use --max-amount, such as 0.01.", 2);
  }
  refuseUnusableBody(options);
  const unpaid = await exchange(options);
  if (unpaid.status !== 402) return await printReply(unpaid, false, io);
  const body = await unpaid.text();
  const { offers } = readPaymentRequired(unpaid.headers, body, options.protocol);
  const { offer, token } = chooseOffer(offers, options.maxAmount, io);
  if (options.maxAmount === undefined) askLimit(offer, token, io);
  const account = options.privateKeyFile === undefined
    ? await devAccount(options.devAccount!)
    : await readPrivateKeyFile(options.privateKeyFile);
  io.say(`Paying as ${account.address}`);
  return await printReply(await exchange(options, await signOffer(account, offer)), true, io);
}

/** The first offer that can be paid within the limit; the server's order is its preference. */
function chooseOffer(
  offers: readonly Offer[],
  maxAmount: string | undefined,
  io: Terminal,
): { offer: Offer; token: KnownAsset } {
  const reasons: string[] = [];
  let chosen;
  for (const offer of offers) {
    const token = findToken(offer);
    if (typeof token === "string") reasons.push(token);
    else if (maxAmount !== undefined && isAbove(offer, maxAmount, token)) {
      reasons.push(`${price(offer, token)} is above the limit of ${maxAmount} ${token.symbol}`);
    } else {
      chosen = { offer, token };
      break;
    }
    if (reasons.length <= maxShown) printOffer(offer, token, io);
  }
  const unseen = reasons.length - maxShown;
  if (unseen > 0) io.say(`and ${unseen} more that cannot be paid`);
  if (chosen === undefined) {
    const why = reasons.slice(0, maxShown).join("; ") || "the 402 offers nothing";
    throw new PayError(`Nothing was signed: ${why}.`);
  }
  printOffer(chosen.offer, chosen.token, io);
  return chosen;
}

function printOffer(offer: Offer, token: KnownAsset | string, io: Terminal): void {
  const { network, asset, payTo } = offer.requirements;
  const amount = typeof token === "string" ? `${offer.amount} atomic units` : price(offer, token);
  io.say(`Offer (x402 version ${offer.version}): ${amount}`);
  io.say(`  network: ${network}`);
  io.say(`  asset: ${asset}`);
  io.say(`  pay to: ${payTo}`);
  if (offer.description !== "") io.say(`  description: ${offer.description}`);
}

function askLimit(offer: Offer, token: KnownAsset, io: Terminal): void {
  const answer = io.ask?.(`Pay at most how many ${token.symbol}?`)?.trim() ?? "";
  if (!amountPattern.test(answer)) {
    throw new PayError("Nothing was signed: the answer is not an amount such as 0.01.");
  }
  if (isAbove(offer, answer, token)) {
    throw new PayError(
      `Nothing was signed: ${price(offer, token)} is above the limit of ${answer} ${token.symbol}.`,
    );
  }
}

function isAbove(offer: Offer, limit: string, { decimals }: KnownAsset): boolean {
  return offer.amount > parseTokenAmount(limit, decimals);
}

function price({ amount }: Offer, { decimals, symbol }: KnownAsset): string {
  return `${formatTokenAmount(amount, decimals)} ${symbol}`;
}
