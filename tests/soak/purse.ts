import { signPayment, usdcRequirements } from "../rig/sign_payment.ts";

/** The receiver of all payments; anybody's address. */
export const payTo = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";
/** Atomic units of every price that is paid, and the same in USDC. */
export const amount = "1000", price = "0.001";

/** A signed payment that has not been spent. */
export interface Payment {
  readonly nonce: string;
  readonly header: [name: string, value: string];
}

/** Seconds that payments are valid for: longer than they wait here, and less than gateways refuse. */
const validSeconds = 4 * 3600;
/** Payments made in a row before others get a turn. */
const batch = 20;

/** Payments signed before they are needed: a signature costs as much as ten requests. */
export class Purse {
  readonly #payments: Payment[] = [];
  #signed = 0;

  /** Signs `count` payments, one in five in version 1 of the protocol. */
  async fill(count: number): Promise<void> {
    for (let left = count; left > 0; left--) {
      this.#payments.push(await this.#sign());
      if (left % batch === 0) await new Promise((resolve) => setTimeout(resolve));
    }
  }

  /** One that nobody has had before. */
  async take(): Promise<Payment> {
    return this.#payments.pop() ?? await this.#sign();
  }

  async #sign(): Promise<Payment> {
    const version = this.#signed++ % 5 === 0 ? 1 : 2;
    const requirements = usdcRequirements(version, amount, payTo);
    const validBefore = String(Math.floor(Date.now() / 1000) + validSeconds);
    const authorization = { validBefore };
    const signed = await signPayment({ version, buyer: 1, requirements, authorization });
    return { nonce: signed.authorization.nonce, header: signed.header };
  }
}
