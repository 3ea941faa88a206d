import { z } from "zod";
import { Failure } from "../failures.ts";
import { readCapped } from "../facilitator/read_capped.ts";
import { ChainError } from "./on_chain.ts";
import { Turns } from "./turns.ts";
import { secretsOf, withoutSecrets } from "./url_secrets.ts";

/** Bytes of an answer that are read at most; a receipt or a range of logs can have a megabyte. */
const maxAnswerBytes = 4 * 1024 * 1024;

/** Characters of a node's own words that are passed on. */
const maxReasonLength = 200;

const answerSchema = z.object({
  id: z.number().nullish(),
  result: z.unknown().optional(),
  error: z.object({ code: z.number(), message: z.string() }).nullish(),
});

/** The node understood and does not want to: for logs, mostly too many blocks at once. */
export class RpcRefusal extends ChainError {
  override readonly name = "RpcRefusal";
}

/** Somebody who answers calls of JSON-RPC. */
export interface Rpc {
  /**
   * The result of a method, in the shape of the schema.
   * @throws {RpcRefusal} an error of JSON-RPC, or an answer that is too long
   * @throws {ChainError} no answer in time, one of another shape, or a node of another chain
   */
  call<S extends z.ZodType>(
    method: string,
    params: readonly unknown[],
    schema: S,
  ): Promise<z.output<S>>;
}

export interface NodeLimits {
  /** In ms, for one call with its whole answer. A look takes 4 calls and more. */
  readonly timeoutMs: number;
  /** Calls that are under way at once: free nodes allow few. */
  readonly parallelCalls: number;
}

/**
 * One node of one network, by JSON-RPC over HTTP. Its URL may hold an API key, so no error shows
 * more of it than the host, and none has the original error, whose text has the whole URL, as cause.
 */
export class JsonRpc {
  readonly #client = Deno.createHttpClient({ http2: false });
  /** Private, unlike `network`, also for whoever prints this object. */
  readonly #url: string;
  readonly #host: string;
  readonly #secrets: readonly string[];
  readonly #turns: Turns;
  readonly #closing = new AbortController();
  #lastId = 0;
  #rightChain: Promise<void> | undefined;

  /** @param network CAIP-2 name of the chain that the node has to be on: `eip155:84532` */
  constructor(
    url: string,
    private readonly network: string,
    private readonly limits: NodeLimits,
  ) {
    this.#url = url;
    this.#turns = new Turns(limits.parallelCalls);
    this.#host = new URL(url).host;
    this.#secrets = secretsOf(new URL(url));
  }

  /** @throws the signal's reason, when it aborts; else as in `Rpc` */
  async call<S extends z.ZodType>(
    method: string,
    params: readonly unknown[],
    schema: S,
    signal: AbortSignal,
  ): Promise<z.output<S>> {
    // All calls wait for it together, so it must not end with the signal of one of them.
    this.#rightChain ??= this.#checkChain();
    await orAborted(this.#rightChain, signal);
    return await this.#call(method, params, schema, signal);
  }

  /** To be called when no call is under way any more but those that nobody waits for. */
  close(): void {
    this.#closing.abort();
    this.#client.close();
  }

  /** A URL of the wrong chain answers everything well and would decide about other money. */
  async #checkChain(): Promise<void> {
    try {
      const hex = z.string().regex(/^0x[0-9a-f]+$/i);
      const id = BigInt(await this.#call("eth_chainId", [], hex, this.#closing.signal));
      if (`eip155:${id}` === this.network) return;
      throw this.#error(`it is on eip155:${id}, not on ${this.network}`);
    } catch (error) {
      this.#rightChain = undefined;
      throw error;
    }
  }

  async #call<S extends z.ZodType>(
    method: string,
    params: readonly unknown[],
    schema: S,
    signal: AbortSignal,
  ): Promise<z.output<S>> {
    const id = ++this.#lastId;
    const body = { jsonrpc: "2.0", id, method, params };
    const { status, text } = await this.#turns.take(() => this.#post(method, body, signal), signal);
    // More calls with smaller ranges are not what a node wants that has had too many.
    if (status === 429) throw this.#error(`${method} was answered with status 429`);
    const answer = answerSchema.safeParse(parseJson(text)).data;
    const refusal = answer?.error;
    if (refusal) {
      const reason = this.#clean(refusal.message);
      throw new RpcRefusal(`${this.#host}: ${method} refused: ${refusal.code} ${reason}`);
    }
    if (status === 413) throw new RpcRefusal(`${this.#host}: ${method} refused with status 413`);
    if (status !== 200) throw this.#error(`${method} was answered with status ${status}`);
    if (answer?.id !== id) throw this.#error(`${method} was answered with no JSON-RPC`);
    const result = schema.safeParse(answer.result);
    if (result.success) return result.data;
    const [issue] = result.error.issues;
    const where = issue?.path.join(".") || "result";
    throw this.#error(`${method}: ${where}: ${this.#clean(issue?.message ?? "invalid")}`);
  }

  async #post(
    method: string,
    body: unknown,
    signal: AbortSignal,
  ): Promise<{ status: number; text: string }> {
    const { timeoutMs } = this.limits;
    const controller = new AbortController();
    const end = () => controller.abort();
    const timer = setTimeout(end, timeoutMs);
    signal.addEventListener("abort", end);
    try {
      const response = await fetch(this.#url, {
        method: "POST",
        headers: [["content-type", "application/json"], ["accept", "application/json"]],
        body: JSON.stringify(body),
        client: this.#client,
        redirect: "manual",
        signal: controller.signal,
      });
      return { status: response.status, text: await readCapped(response, maxAnswerBytes) };
    } catch (error) {
      if (error instanceof Failure) {
        throw new RpcRefusal(`${this.#host}: ${method}: ${error.detail}`);
      }
      signal.throwIfAborted();
      if (controller.signal.aborted) {
        throw this.#error(`${method} was not answered in ${timeoutMs} ms`);
      }
      const { cause, message } = error as Error;
      throw this.#error(this.#clean(cause instanceof Error ? cause.message : message));
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
    }
  }

  #error(detail: string): ChainError {
    return new ChainError(`${this.#host}: ${detail}`);
  }

  #clean(text: string): string {
    return withoutSecrets(text, this.#secrets).slice(0, maxReasonLength);
  }
}

/** @throws the signal's reason, at once */
async function orAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort);
  try {
    await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
