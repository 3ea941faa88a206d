import {
  type Answer,
  type FacilitatorCall,
  type ScriptedFacilitator,
  startScriptedFacilitator,
  success,
} from "../support/scripted_facilitator.ts";
import { TcpService } from "./tcp_service.ts";
import { pause } from "./pause.ts";

/** What a facilitator answers instead, at one endpoint or at all of them. */
export type FacilitatorFault =
  | "resets"
  | "hangs"
  | "500"
  | "429"
  | "garbage"
  | "truncated"
  | "late";

type Endpoint = "/verify" | "/settle" | "/supported";

/** A gateway's patience with it, ms; `late` is beyond it. */
export const verifyTimeoutMs = 2_000, settleTimeoutMs = 3_000;
const lateMs = 4_000;

/** A facilitator with a chain of its own: it lets every nonce move money once, and fails as told. */
export class SoakFacilitator implements AsyncDisposable {
  /** Transactions by nonce. */
  readonly settled = new Map<string, string>();
  /** Nonces that were to be settled once more after the money had moved. */
  readonly settledAgain: string[] = [];
  readonly #scripted: ScriptedFacilitator = startScriptedFacilitator();
  readonly #door = new TcpService();
  readonly #faults = new Map<Endpoint, FacilitatorFault>();
  #settlesFirst = false;

  constructor() {
    this.#door.endpoints = [Number(new URL(this.#scripted.url).port)];
    const { answers } = this.#scripted;
    answers["/supported"] = { ask: () => this.#answer("/supported", success["/supported"]) };
    answers["/verify"] = { ask: (call) => this.#answer("/verify", this.#verify(call)) };
    answers["/settle"] = { ask: (call) => this.#settle(call) };
  }

  /** Without a trailing slash. */
  get url(): string {
    return `http://127.0.0.1:${this.#door.port}`;
  }

  /** @param settlesFirst the money moves before the answer to `/settle` goes wrong */
  fail(endpoints: readonly Endpoint[], fault: FacilitatorFault, settlesFirst = false): void {
    for (const endpoint of endpoints) this.#faults.set(endpoint, fault);
    this.#settlesFirst = settlesFirst;
  }

  /** Nobody listens. */
  refuse(): Promise<void> {
    return this.#door.close();
  }

  /** The end of all faults. */
  recover(): void {
    this.#faults.clear();
    this.#door.open();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#door.close();
    await this.#scripted[Symbol.asyncDispose]();
  }

  #verify(call: FacilitatorCall): Answer {
    this.#forget();
    if (!this.settled.has(nonceOf(call))) return { json: { isValid: true } };
    return { json: { isValid: false, invalidReason: "invalid_exact_evm_nonce_already_used" } };
  }

  async #settle(call: FacilitatorCall): Promise<Answer> {
    const nonce = nonceOf(call);
    const fails = this.#faults.has("/settle");
    if (fails && !this.#settlesFirst) return await this.#answer("/settle", { json: {} });
    if (this.settled.has(nonce)) this.settledAgain.push(nonce);
    const transaction = `0x${crypto.getRandomValues(new Uint8Array(32)).toHex()}`;
    this.settled.set(nonce, transaction);
    const network = call.x402Version === 1 ? "base-sepolia" : "eip155:84532";
    return await this.#answer("/settle", { json: { success: true, transaction, network } });
  }

  async #answer(endpoint: Endpoint, good: Answer): Promise<Answer> {
    const fault = this.#faults.get(endpoint);
    if (fault !== "late") return fault === undefined ? good : spoiled[fault];
    await pause(lateMs);
    return good;
  }

  /** A run of hours would keep every call. */
  #forget(): void {
    const { received, requests } = this.#scripted;
    for (const list of [received["/verify"], received["/settle"], requests]) list.length = 0;
  }
}

const spoiled: Readonly<Record<Exclude<FacilitatorFault, "late">, Answer>> = {
  "resets": "close-after-request",
  "hangs": "hang",
  "500": { json: { error: "out of order" }, status: 500 },
  "429": { json: {}, status: 429 },
  "garbage": { raw: "\x00\x16\x03 what is this\r\n\r\n" },
  "truncated": { raw: 'HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{"isValid' },
};

interface Authorized {
  readonly payload: { readonly authorization: { readonly nonce: string } };
}

function nonceOf({ paymentPayload }: FacilitatorCall): string {
  return (paymentPayload as Authorized).payload.authorization.nonce;
}
