/**
 * The command line: `x402-k8s-operator COMMAND`. Exit codes: 0 success, 1 failure, 2 wrong usage.
 */
import { Command, CommanderError } from "commander";
import { facilitatorStubCommand } from "./commands/facilitator_stub.ts";
import { gatewayCommand } from "./commands/gateway.ts";
import { runCommand } from "./commands/run.ts";
import { payCommand } from "./commands/pay.ts";
import { paymentsCommand } from "./commands/payments.ts";
import { planCommand } from "./commands/plan.ts";
import { restoreCommand } from "./commands/restore.ts";
import { validateCommand } from "./commands/validate.ts";
import { version } from "./version.ts";

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
  await program.parseAsync(Deno.args, { from: "user" });
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // Commander has printed its one line; --help and --version end here too, with 0.
  Deno.exit(error.exitCode === 0 ? 0 : 2);
}
