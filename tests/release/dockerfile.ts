/** As much of a Dockerfile as ours has: stages, arguments, copies and commands. */

export interface Instruction {
  /** Upper case. */
  readonly name: string;
  readonly args: string;
}

export interface Stage {
  /** What follows FROM: the image, and maybe a name. */
  readonly from: string;
  readonly name: string | undefined;
  readonly instructions: readonly Instruction[];
}

export interface Copy {
  /** The stage that it copies from; undefined for the build context. */
  readonly stage: string | undefined;
  readonly sources: readonly string[];
  readonly target: string;
}

/** The stages of a Dockerfile, without what comes before the first. */
export function stagesOf(text: string): Stage[] {
  const stages: { from: string; name: string | undefined; instructions: Instruction[] }[] = [];
  const lines = text.replace(/^\s*#.*\n/gm, "").replaceAll(/\\\n/g, " ").split("\n");
  for (const line of lines) {
    const [, name, args] = /^(\w+)\s+(.*)$/.exec(line.trim()) ?? [];
    if (name === undefined || args === undefined) continue;
    if (name.toUpperCase() === "FROM") {
      const [from, stage] = args.replace(/--platform=\S+\s+/, "").split(/\s+as\s+/i);
      stages.push({ from: from!, name: stage, instructions: [] });
    } else stages.at(-1)?.instructions.push({ name: name.toUpperCase(), args });
  }
  return stages;
}

export function copyOf({ args }: Instruction): Copy {
  const words = args.split(/\s+/);
  const stage = words.find((word) => word.startsWith("--from="))?.slice("--from=".length);
  const paths = words.filter((word) => !word.startsWith("--"));
  return { stage, sources: paths.slice(0, -1), target: paths.at(-1)! };
}
