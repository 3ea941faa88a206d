const coloured = Deno.stdout.isTerminal() && !Deno.noColor;

/** A numbered headline, for people who follow the demo. */
export function step(title: string): void {
  print(`\n${paint("1;36", `${++steps}. ${title}`)}`);
}

let steps = 0;

/** Indented lines below a headline: plain text, or names with their values in columns. */
export function tell(content: string | Readonly<Record<string, string>>): void {
  if (typeof content === "string") return print(`   ${content}`);
  const width = Math.max(...Object.keys(content).map((name) => name.length));
  for (const [name, value] of Object.entries(content)) {
    print(`   ${paint("2", name.padEnd(width))}  ${value}`);
  }
}

/** The last line: how it went. */
export function conclude(sentence: string, good: boolean): void {
  print(`\n${paint(good ? "1;32" : "1;31", sentence)}`);
}

export function print(line: string): void {
  // deno-lint-ignore no-console -- a demo talks
  console.log(line);
}

/** `code` is of the SGR parameters of ECMA-48. */
function paint(code: string, text: string): string {
  return coloured ? `\u001b[${code}m${text}\u001b[0m` : text;
}
