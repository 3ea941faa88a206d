/** How a gateway looks from outside. */
import assert from "node:assert/strict";

/** A client that may say which host it asks for. */
export function lookingClient(): Deno.HttpClient {
  return Deno.createHttpClient({ allowHost: true });
}

/** Who answers GET and POST at the URL: the name of a backend, or the status. */
export async function look(client: Deno.HttpClient, url: string, host: string): Promise<string> {
  const answers = ["GET", "POST"].map(async (method) => {
    const reply = await fetch(url, { method, headers: { host }, client });
    const text = await reply.text();
    return reply.ok ? text : String(reply.status);
  });
  return (await Promise.all(answers)).join(" ");
}

/** Asks again and again until the answer is the expected one. */
export async function eventually<T>(
  probe: () => Promise<T>,
  expected: T,
  timeout = 5_000,
): Promise<void> {
  const end = performance.now() + timeout;
  let last = await probe();
  while (JSON.stringify(last) !== JSON.stringify(expected) && performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    last = await probe();
  }
  assert.deepEqual(last, expected);
}

/** Requests in a row, without a pause. */
export interface Looking {
  /** Ends them; how many looked as expected. Fails if one did not. */
  end(): Promise<number>;
}

/** Looks again and again; all that it may see until the end is `expected`. */
export function keepLooking(
  probe: () => Promise<string>,
  expected: readonly string[],
): Looking {
  let ended = false;
  let count = 0;
  const wrong = new Set<string>();
  const run = async () => {
    while (!ended) {
      const seen = await probe().catch((error: Error) => error.message);
      if (expected.includes(seen)) count++;
      else wrong.add(seen);
    }
  };
  const running = run();
  return {
    async end() {
      ended = true;
      await running;
      assert.deepEqual([...wrong], []);
      return count;
    },
  };
}
