/** One simple command of a shell block: its words, without comments and redirections. */
export interface ShellCommand {
  /** `NAME=value` before the program. */
  readonly variables: readonly string[];
  readonly words: readonly string[];
}

/**
 * As much of a shell's grammar as the documentation uses: comments, continued lines, quotes, pipes,
 * `&&`, redirections. No expansions: `$NAME` stays as it is.
 */
export function shellCommands(text: string): ShellCommand[] {
  const lines = text.replaceAll(/ *\\\n */g, " ").split("\n");
  return lines.flatMap((line) => commandsOf(tokens(line)));
}

const operators = /^(?:\|\||&&|\||;|&)/;

function tokens(line: string): string[] {
  const found: string[] = [];
  let rest = line.trimStart();
  while (rest !== "" && !rest.startsWith("#")) {
    const token = operators.exec(rest)?.[0] ?? wordAt(rest);
    found.push(token);
    rest = rest.slice(token.length).trimStart();
  }
  return found;
}

function wordAt(text: string): string {
  return /^(?:"[^"]*"|'[^']*'|[^\s"'|;&])+/.exec(text)?.[0] ??
    (() => {
      throw new Error(`this cannot be read: ${text}`);
    })();
}

function commandsOf(tokens: readonly string[]): ShellCommand[] {
  const commands: string[][] = [[]];
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!;
    if (operators.test(token)) commands.push([]);
    else if (/^[12]?>>?$|^<$/.test(token)) i++;
    else if (!/^[12]?>/.test(token)) commands.at(-1)!.push(unquoted(token));
  }
  return commands.filter((words) => words.length > 0).map((words) => {
    const program = words.findIndex((word) => !/^[A-Z_]+=/.test(word));
    const split = program < 0 ? words.length : program;
    return { variables: words.slice(0, split), words: words.slice(split) };
  });
}

function unquoted(token: string): string {
  return token.replaceAll(/"([^"]*)"|'([^']*)'/g, (_, double, single) => double ?? single);
}
