import { type Command, CommanderError } from "commander";
import { buildProgram } from "../../commands/command_line.ts";

const samples = new URL("../../deploy/samples/", import.meta.url).pathname;

/** Every flag that some command of the program has. */
export async function programFlags(): Promise<ReadonlySet<string>> {
  const commands = allOf(await buildProgram());
  const options = commands.flatMap(({ options }) => options);
  return new Set(options.flatMap(({ short, long }) => [short, long, "--help"]).map(String));
}

/**
 * Parses a command line of the program without running anything.
 * @returns what the program would say is wrong with it
 */
export async function parseProgram(args: readonly string[]): Promise<string | undefined> {
  const program = await buildProgram();
  let ran = "";
  for (const command of allOf(program)) {
    command.exitOverride().configureOutput({ writeErr: () => {}, writeOut: () => {} });
    if (command.commands.length === 0) command.action(() => void (ran = command.name()));
  }
  try {
    // The one flag whose value has to be there already.
    const known = args.map((arg) => arg === "./manifests" ? samples : arg);
    await program.parseAsync(known, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? undefined : error.message;
  }
  return ran === "" ? "no command" : undefined;
}

function allOf(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allOf)];
}
