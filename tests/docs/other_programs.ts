import type { ShellCommand } from "./shell.ts";

/** What is checked of programs that are not in this repository: the first words, and the flags. */
interface Usage {
  readonly verbs?: readonly string[];
  readonly flags: readonly string[];
}

const everywhere = ["--namespace", "-n", "--kubeconfig"];

/** All that the documentation asks of them. Whoever writes a new flag looks it up and adds it here. */
export const otherPrograms: Readonly<Record<string, Usage>> = {
  cosign: {
    verbs: ["verify", "verify-attestation", "verify-blob"],
    flags: ["--certificate-identity-regexp", "--certificate-oidc-issuer", "--type", "--bundle"],
  },
  gh: { verbs: ["attestation"], flags: ["--repo"] },
  sha256sum: { flags: ["--check", "--ignore-missing"] },
  kubectl: {
    verbs: [
      "apply",
      "create",
      "delete",
      "describe",
      "exec",
      "get",
      "label",
      "logs",
      "port-forward",
      "rollout",
      "wait",
    ],
    flags: [
      ...everywhere,
      ...["--all", "--all-namespaces", "-A", "--force-conflicts", "--server-side", "--from-file"],
      ...[
        "--from-literal",
        "--for",
        "--timeout",
        "--selector",
        "-l",
        "-f",
        "-o",
        "--show-managed-fields",
        "--cascade",
      ],
    ],
  },
  helm: {
    verbs: ["install", "upgrade", "uninstall", "template"],
    flags: [
      ...everywhere,
      ...["--create-namespace", "--install", "--repo", "--reuse-values", "--set", "--values"],
      "--version",
    ],
  },
  minikube: { verbs: ["start", "addons"], flags: [] },
  kind: { verbs: ["create"], flags: [] },
  curl: { flags: ["-i", "-s"] },
  openssl: { verbs: ["rand"], flags: ["-hex"] },
  npm: { verbs: ["install"], flags: ["--global"] },
  pip: { verbs: ["install"], flags: [] },
  export: { flags: [] },
};

/** @returns what is wrong with the command, or undefined */
export function checkOther({ words: [program = "", ...args] }: ShellCommand): string | undefined {
  const usage = otherPrograms[program];
  if (usage === undefined) return `nothing is known of ${program}; add it to other_programs.ts`;
  // What comes after `--` is for a program in a container.
  const end = args.indexOf("--");
  const own = end < 0 ? args : args.slice(0, end);
  const flags = own.filter((arg) => /^-./.test(arg)).map((arg) => arg.replace(/=.*/, ""));
  const unknown = flags.find((flag) => !usage.flags.includes(flag));
  if (unknown !== undefined) return `nothing is known of ${program} ${unknown}`;
  const verb = firstVerb(own);
  if (usage.verbs && !usage.verbs.includes(verb)) return `nothing is known of ${program} ${verb}`;
  return undefined;
}

/** Flags that come before the verb here take a value. */
function firstVerb(args: readonly string[]): string {
  const at = args.findIndex((arg, i) => !arg.startsWith("-") && !args[i - 1]?.startsWith("-"));
  return args[at] ?? "";
}
