import { Command } from "commander";
import { listCommand } from "./payments_list.ts";
import { showCommand } from "./payments_show.ts";
import { sumCommand } from "./payments_sum.ts";

/** `payments`: what the ledger says, for people; it is only read. */
export function paymentsCommand(): Command {
  return new Command("payments")
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(sumCommand());
}
