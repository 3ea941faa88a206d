/**
 * Runs a program to its end.
 * @returns its standard output, without white space at the ends
 * @throws {Error} with its standard error when it fails
 */
export async function run(
  program: string,
  args: readonly string[],
  options: Pick<Deno.CommandOptions, "cwd" | "env"> = {},
): Promise<string> {
  const command = new Deno.Command(program, { ...options, args: [...args], stdin: "null" });
  const { success, code, stdout, stderr } = await command.output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  if (!success) {
    throw new Error(`${program} ${args[0]} ended with ${code}:\n${decode(stderr)}`);
  }
  return decode(stdout);
}
