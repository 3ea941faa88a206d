import { type Command, InvalidArgumentError, Option } from "commander";
import { closestName } from "../crd/closest_name.ts";
import type { PaymentFilter } from "../store/ledger/payment_history.ts";
import {
  chargedStates,
  openStates,
  type PaymentState,
  paymentStates,
} from "../store/ledger/payment_state.ts";
import { flag } from "./gateway_flags.ts";
import { type OutputFormat, outputFormats } from "./payments_formats.ts";
import { timeParser } from "./payments_time.ts";
import { UsageError } from "./usage_error.ts";

/** Where the payments are. */
export interface HistoryFlags {
  /** The path of an SQLite file or a URL of PostgreSQL. */
  readonly ledger: string;
}

/** Which payments are meant, and how they are printed; times in ms since 1970. */
export interface FilterFlags extends HistoryFlags {
  readonly route?: string;
  readonly payer?: string;
  readonly state?: readonly PaymentState[];
  readonly since?: number;
  readonly until?: number;
  readonly output: OutputFormat;
}

/** Names for several states at once. */
const stateGroups: Readonly<Record<string, readonly PaymentState[]>> = {
  all: paymentStates,
  charged: chargedStates,
  open: openStates,
};

export function addHistoryFlags(command: Command): Command {
  return command.addOption(
    flag("--ledger <path|url>", "an SQLite file or postgres://..., as the gateway has it")
      .makeOptionMandatory(),
  );
}

/** @param defaultStates what the help says about payments whose state is not asked for */
export function addFilterFlags(command: Command, defaultStates: string): Command {
  const time = timeParser(Date.now);
  return addHistoryFlags(command)
    .option("--route <namespace/name>", "of this X402Route (NAME: of namespace default)", routeName)
    .option("--payer <address>", "of this buyer", payerAddress)
    .option(
      "--state <state>",
      `in these states, or charged, open, all (repeat, or separate with commas) (default: ${defaultStates})`,
      states,
    )
    .option(
      "--since <time>",
      "begun then or later: 2026-11-24T08:00:00Z, 2026-11-24, 24h, 7d",
      time,
    )
    .option("--until <time>", "begun before then", time)
    .addOption(
      new Option("-o, --output <format>", "format").choices(outputFormats).default("table"),
    );
}

/** @throws {UsageError} when no payment can be meant */
export function filterOf({ route, payer, state, since, until }: FilterFlags): PaymentFilter {
  if (since !== undefined && until !== undefined && since >= until) {
    throw new UsageError("--since has to be before --until");
  }
  return {
    ...(route !== undefined && { route }),
    ...(payer !== undefined && { payer }),
    ...(state !== undefined && { states: state }),
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
  };
}

/** The names in a comma-separated list; one that is not allowed gets the nearest as a suggestion. */
export function namesOf<Name extends string>(
  text: string,
  what: string,
  allowed: readonly Name[],
): Name[] {
  return text.split(",").map((part) => {
    const name = part.trim();
    const found = allowed.find((each) => each === name);
    if (found !== undefined) return found;
    const closest = closestName(name, allowed);
    throw new InvalidArgumentError(
      `There is no ${what} ${JSON.stringify(name)}${
        closest === undefined ? "" : `, did you mean ${closest}?`
      } Give some of: ${allowed.join(", ")}.`,
    );
  });
}

function states(text: string, previous: readonly PaymentState[] = []): readonly PaymentState[] {
  const names = namesOf(text, "state", [...paymentStates, ...Object.keys(stateGroups)]);
  const given = names.flatMap((name) => stateGroups[name] ?? [name as PaymentState]);
  return [...new Set([...previous, ...given])];
}

function routeName(text: string): string {
  const [, namespace = "default", name] =
    /^(?:([a-z0-9][-a-z0-9]*)\/)?([a-z0-9][-.a-z0-9]*)$/.exec(text) ?? [];
  if (name !== undefined) return `${namespace}/${name}`;
  throw new InvalidArgumentError("Give NAMESPACE/NAME of an X402Route, such as shop/prices.");
}

function payerAddress(text: string): string {
  if (/^0x[0-9a-fA-F]{40}$/.test(text)) return text.toLowerCase();
  throw new InvalidArgumentError("Give an address: 0x and 40 hexadecimal digits.");
}
