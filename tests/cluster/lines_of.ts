/** The finished lines of a process's output, as they arrive. Whoever stops early closes it. */
export async function* linesOf(
  output: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<string, undefined> {
  let rest = "";
  for await (const text of output.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    yield* parts;
  }
}

/** The first line of a process's output, of which the rest is dropped; `undefined` without any. */
export async function firstLineOf(
  output: ReadableStream<Uint8Array<ArrayBuffer>>,
): Promise<string | undefined> {
  for await (const line of linesOf(output)) return line;
  return undefined;
}
