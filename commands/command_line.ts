import { Command, CommanderError } from "commander";
import { commit, version } from "../version.ts";

/** A command of the program: what `--help` says of it, and its flags, which cost time to load. */
interface Entry {
  readonly description: string;
  readonly load: () => Promise<Command>;
}

const entries: Readonly<Record<string, Entry>> = {
  "run": {
    description: "Serve the Ingresses and X402Routes of a cluster, and keep the Ingresses patched.",
    load: async () => (await import("./run.ts")).runCommand(),
  },
  "gateway": {
    description: "Serve the Ingresses and X402Routes of a folder of manifests, without a cluster.",
    load: async () => (await import("./gateway.ts")).gatewayCommand(),
  },
  "validate": {
    description: "Check X402Routes, and the Ingresses and Services with them, without a cluster.",
    load: async () => (await import("./validate.ts")).validateCommand(),
  },
  "plan": {
    description: "Print which paths would go through the gateway and what they would cost.",
    load: async () => (await import("./plan.ts")).planCommand(),
  },
  "restore": {
    description: "Put every Ingress back as its author wrote it, without a running operator.",
    load: async () => (await import("./restore.ts")).restoreCommand(),
  },
  "pay": {
    description: "Request a URL and pay for it: a test client with a real wallet.",
    load: async () => (await import("./pay.ts")).payCommand(),
  },
  "payments": {
    description: "Print what was paid, from the ledger of the gateways.",
    load: async () => (await import("./payments.ts")).paymentsCommand(),
  },
  "facilitator-stub": {
    description: "A facilitator for a first look: it accepts everything and moves no money.",
    load: async () => (await import("./facilitator_stub.ts")).facilitatorStubCommand(),
  },
};

/**
 * The commands and flags; nothing has run yet, so references can be made of it.
 * @param wanted the commands that are needed whole; of the others only what `--help` says
 */
export async function buildProgram(wanted = Object.keys(entries)): Promise<Command> {
  const program = new Command("x402-k8s-operator")
    .description("Charge for any API per request, in stablecoins, over the x402 protocol.")
    .version(`x402-k8s-operator ${version} (${commit}, Deno ${Deno.version.deno})`)
    .showSuggestionAfterError();
  for (const [name, { description, load }] of Object.entries(entries)) {
    const command = wanted.includes(name) ? await load() : new Command(name);
    program.addCommand(command.description(description));
  }
  return program;
}

/** Runs the command that the arguments name, and ends the process where that was wrong. */
export async function runCommandLine(args: string[]): Promise<void> {
  const program = await buildProgram(args);
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
