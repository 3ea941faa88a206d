/** Where the person at `pay` reads and answers. */
export interface Terminal {
  /** One line for people, on standard error, so that standard output is the body alone. */
  say(line: string): void;
  /** Bytes of the body, on standard output. */
  write(bytes: Uint8Array): void;
  /** The answer to a question; absent when nobody is there to ask. */
  readonly ask?: (question: string) => string | null;
}

/** The process's own terminal. */
export function terminal(): Terminal {
  return {
    say: (line) => writeAll(Deno.stderr, new TextEncoder().encode(printable(line) + "\n")),
    write: (bytes) => writeAll(Deno.stdout, bytes),
    ...(Deno.stdin.isTerminal() ? { ask: (question) => prompt(question) } : {}),
  };
}

/** A server chooses parts of these lines and must not move the cursor or hide text with them. */
export function printable(line: string): string {
  return line.replace(/[\p{Cc}\p{Cf}]/gu, " ");
}

function writeAll(stream: typeof Deno.stdout | typeof Deno.stderr, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) {
    written += stream.writeSync(bytes.subarray(written));
  }
}
