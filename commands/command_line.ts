import { Command, CommanderError } from "commander";
import { facilitatorStubCommand } from "./facilitator_stub.ts";
import { gatewayCommand } from "./gateway.ts";
import { runCommand } from "./run.ts";
import { payCommand } from "./pay.ts";
import { paymentsCommand } from "./payments.ts";
import { planCommand } from "./plan.ts";
import { restoreCommand } from "./restore.ts";
import { validateCommand } from "./validate.ts";
import { version } from "../version.ts";

/** Runs the command that the arguments name, and ends the process where that was wrong. */
export async function runCommandLine(args: string[]): Promise<void> {
  const program = new Command("x402-k8s-operator")
    .description("Charge for any API per request, in stablecoins, over the x402 protocol.")
    .version(version)
    .showSuggestionAfterError()
    .addCommand(runCommand())
    .addCommand(gatewayCommand())
    .addCommand(validateCommand())
    .addCommand(planCommand())
    .addCommand(restoreCommand())
    .addCommand(payCommand())
    .addCommand(paymentsCommand())
    .addCommand(facilitatorStubCommand());

  const commands = program.commands.flatMap((command) => [command, ...command.commands]);
  for (const command of [program, ...commands]) {
    command.exitOverride().configureOutput({
      // "(Did you mean ...?)" comes on a line of its own: one error is one line here.
      outputError: (text, write) => write(text.trimEnd().replaceAll("\n", " ") + "\n"),
    });
  }

  try {
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Commander has printed its one line; --help and --version end here too, with 0.
    Deno.exit(error.exitCode === 0 ? 0 : 2);
  }
}
