import { printable } from "./pay_terminal.ts";

/** Prints one line; what somebody else chose of it cannot move the cursor. */
export function printLine(
  line: string,
  stream: typeof Deno.stdout | typeof Deno.stderr = Deno.stdout,
) {
  printText(`${printable(line)}\n`, stream);
}

/** Prints all of the text, as it is. */
export function printText(
  text: string,
  stream: typeof Deno.stdout | typeof Deno.stderr = Deno.stdout,
): void {
  const bytes = new TextEncoder().encode(text);
  for (let written = 0; written < bytes.length;) {
    written += stream.writeSync(bytes.subarray(written));
  }
}
