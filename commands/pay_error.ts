/**
 * Ends `pay` with one sentence for the person who ran it: exit code 1 when the payment was refused
 * or failed, 2 when the command was used wrongly. The message never holds a key or signature.
 */
export class PayError extends Error {
  override readonly name = "PayError";

  constructor(message: string, readonly exitCode: 1 | 2 = 1) {
    super(message);
  }
}
