import type { Shop } from "./cluster_shops.ts";

/** Requests to the gateway as an Ingress controller sends them. */
export class GatewayClient implements Disposable {
  readonly #client = Deno.createHttpClient({ allowHost: true, http2: false });

  constructor(private readonly url: string) {}

  /** Status of the answer, or `none`. */
  async status(host: string, path: string): Promise<string> {
    try {
      const reply = await this.#get(host, path);
      return String(reply.status);
    } catch {
      return "none";
    }
  }

  /** Atomic units that the shop asks for now. */
  async price({ host }: Shop): Promise<number> {
    const reply = await this.#get(host, "/api/data");
    const challenge = reply.headers.get("payment-required");
    if (challenge === null) throw new Error(`${host} asks for nothing (${reply.status}).`);
    return Number(JSON.parse(atob(challenge)).accepts[0].amount);
  }

  async #get(host: string, path: string): Promise<Response> {
    const reply = await fetch(this.url + path, { client: this.#client, headers: { host } });
    await reply.body?.cancel();
    return reply;
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}
