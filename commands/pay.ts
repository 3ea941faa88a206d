import { Command, InvalidArgumentError, Option } from "commander";
import { amountPattern } from "./pay_amount.ts";
import { type PayOptions, runPay } from "./pay_request.ts";
import { devAccountCount } from "./pay_wallet.ts";

type PayFlags = Omit<PayOptions, "url">;

/** What `fetch` does not send (Fetch standard, "forbidden method"). */
const forbiddenMethods = new Set(["CONNECT", "TRACE", "TRACK"]);

/** `x402-k8s-operator pay URL`. */
export function payCommand(): Command {
  return new Command("pay")
    .argument("<url>", "what to request: http:// or https://", parseUrl)
    .addOption(
      new Option("--private-key-file <file>", "wallet: file with its private key in hexadecimal")
        .env("X402_PAY_PRIVATE_KEY_FILE"),
    )
    .addOption(
      new Option("--dev-account <n>", "wallet: account 0 to 9 of anvil's public test mnemonic")
        .env("X402_PAY_DEV_ACCOUNT").argParser(parseDevAccount),
    )
    .addOption(
      new Option(
        "--max-amount <amount>",
        "most to pay, in whole tokens such as 0.01 (asked for in a terminal)",
      ).env("X402_PAY_MAX_AMOUNT").argParser(parseAmount),
    )
    .addOption(
      new Option("--protocol <version>", "x402 version to pay with")
        .choices(["auto", "1", "2"]).default("auto").env("X402_PAY_PROTOCOL"),
    )
    .option("--method <method>", "HTTP method (default: GET, or POST with --data)", parseMethod)
    .option("--header <line>", 'request header "Name: value"; can be repeated', parseHeader)
    .option("--data <text>", "request body")
    .action(async (url: string, flags: PayFlags, command: Command) => {
      Deno.exitCode = await runPay({ url, ...withOneWallet(flags, command) });
    });
}

/** Not `conflicts()` of commander: that takes a flag and the other wallet's variable for a clash. */
function withOneWallet(options: PayFlags, command: Command): PayFlags {
  const { privateKeyFile, devAccount, ...rest } = options;
  if (privateKeyFile === undefined || devAccount === undefined) return options;
  const fileSource = command.getOptionValueSource("privateKeyFile");
  if (fileSource === command.getOptionValueSource("devAccount")) {
    command.error("error: two wallets are given; use --private-key-file or --dev-account");
  }
  return fileSource === "cli" ? { ...rest, privateKeyFile } : { ...rest, devAccount };
}

function parseUrl(text: string): string {
  const protocol = URL.parse(text)?.protocol;
  if (protocol === "http:" || protocol === "https:") return text;
  throw new InvalidArgumentError("Give an absolute URL: http://localhost:8402/api/weather.");
}

function parseDevAccount(text: string): number {
  if (/^\d$/.test(text)) return Number(text);
  throw new InvalidArgumentError(`Give the number of an account, 0 to ${devAccountCount - 1}.`);
}

function parseAmount(text: string): string {
  if (amountPattern.test(text)) return text;
  throw new InvalidArgumentError("Give a decimal number of tokens, such as 0.01.");
}

function parseMethod(text: string): string {
  if (/^[A-Z]+$/.test(text) && !forbiddenMethods.has(text)) return text;
  throw new InvalidArgumentError(
    "Give an HTTP method in capital letters, such as POST, but not CONNECT, TRACE or TRACK.",
  );
}

function parseHeader(text: string, previous: [string, string][] = []): [string, string][] {
  const [, name, value] = /^([^:]+):\s*(.*)$/.exec(text) ?? [];
  try {
    new Headers([[name ?? "", value ?? ""]]);
  } catch {
    throw new InvalidArgumentError('Give a header line, such as "Accept: application/json".');
  }
  return [...previous, [name!, value!]];
}
