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
  const shared = Deno.stdout.isTerminal();
  let midLine = false;
  return {
    say(line) {
      // On one screen, a body without a last newline must not run into the next line.
      const text = (shared && midLine ? "\n" : "") + printable(line) + "\n";
      midLine = false;
      writeAll(Deno.stderr, new TextEncoder().encode(text));
    },
    write(bytes) {
      midLine = bytes.at(-1) !== 0x0a;
      writeAll(Deno.stdout, bytes);
    },
    ...(shared && Deno.stdin.isTerminal() ? { ask: (question) => prompt(question) } : {}),
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
