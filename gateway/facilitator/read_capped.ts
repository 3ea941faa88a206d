import { FacilitatorFailure } from "./facilitator_failure.ts";

/**
 * The body as text, at most `limit` bytes of it: a facilitator's answer of any length must not
 * become memory.
 * @throws {FacilitatorFailure} `facilitator_invalid` when it is longer; the rest is not read
 */
export async function readCapped(response: Response, limit: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    // Leaving the loop cancels the stream and so closes the connection.
    if (length > limit) {
      throw new FacilitatorFailure("facilitator_invalid", `more than ${limit} bytes`, "maybe");
    }
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
