import type { FacilitatorClient } from "../facilitator/facilitator_client.ts";
import { Failure } from "../failures.ts";
import type { InvalidSignatures } from "./invalid_signatures.ts";
import { recoversToPayer } from "./local_signature.ts";
import type { Purchase } from "./purchase.ts";

/** What facilitators say of signatures that the payer did not make. */
const signatureReason = /signature/i;

/**
 * Keeps floods of invalid signatures from the facilitator. Whoever sent several lately, or is named
 * as the payer of them, has to show a signature that can be checked here: that costs about as much
 * CPU as the rest of a paid request, so it is not done for everybody. A payer whose address somebody
 * else misuses still gets through.
 */
export class SignatureGuard {
  constructor(
    private readonly invalid: InvalidSignatures,
    private readonly facilitator: FacilitatorClient,
  ) {}

  /** @throws {Failure} `too_many_invalid_signatures` */
  async check({ client, payment, access }: Purchase): Promise<void> {
    const { payer } = payment.authorization;
    if (!this.invalid.isSuspicious(client, payer)) return;
    if (await recoversToPayer(payment, access.terms) === true) return;
    throw new Failure("too_many_invalid_signatures", `${client} for ${payer}`, {
      retryAfterSeconds: this.invalid.retryAfterSeconds(client, payer),
    });
  }

  /**
   * Whether the payer made the signature. A wallet that is a contract may accept one that recovers to
   * somebody else, so only the facilitator can say no.
   */
  async isGenuine(purchase: Purchase): Promise<boolean> {
    const { payment, access, resourceUrl } = purchase;
    if (await recoversToPayer(payment, access.terms) === true) return true;
    const verdict = await this.facilitator.verify(payment, access.terms, resourceUrl);
    if (verdict.kind === "invalid") await this.refused(purchase, verdict.reason);
    return verdict.kind === "valid";
  }

  /** To be told of each payment that a facilitator has refused. */
  async refused(purchase: Purchase, reason: string): Promise<void> {
    if (signatureReason.test(reason)) this.#count(purchase);
    else await this.unanswered(purchase);
  }

  /**
   * To be told of each payment that a facilitator has been asked about without an acceptance. There
   * are signatures that facilitators answer with an error instead of a verdict: what cannot be shown
   * to be the payer's own counts like an invalid one.
   */
  async unanswered(purchase: Purchase): Promise<void> {
    if (await recoversToPayer(purchase.payment, purchase.access.terms) !== true) {
      this.#count(purchase);
    }
  }

  #count({ client, payment }: Purchase): void {
    this.invalid.add(client, payment.authorization.payer);
  }
}
