import { FacilitatorAddresses } from "../../gateway/facilitator/facilitator_addresses.ts";
import {
  FacilitatorClient,
  type FacilitatorSettings,
} from "../../gateway/facilitator/facilitator_client.ts";
import { Logger } from "../../store/log.ts";
import { Metrics } from "../../store/metrics.ts";
import { type ScriptedFacilitator, startScriptedFacilitator } from "./scripted_facilitator.ts";
import { signedPayment } from "./signed_payment.ts";
import { usdcTerms } from "./test_gateway.ts";

const resourceUrl = "http://a.test/paid";
const payment = await signedPayment(usdcTerms(""));
/** In lower case. */
export const { payer } = payment.authorization;

/** A client and a facilitator to call with it. */
export interface FacilitatorBed extends AsyncDisposable {
  readonly facilitator: ScriptedFacilitator;
  readonly client: FacilitatorClient;
  readonly log: Record<string, unknown>[];
  /** Of the circuit breakers. */
  readonly clock: { ms: number };
  /** Calls the facilitator with a payment of version 2 on Base Sepolia, or another one at `url`. */
  verify(url?: string, ended?: AbortSignal): ReturnType<FacilitatorClient["verify"]>;
  settle(url?: string): ReturnType<FacilitatorClient["settle"]>;
}

export function setUpFacilitator(settings: Partial<FacilitatorSettings> = {}): FacilitatorBed {
  const facilitator = startScriptedFacilitator();
  const log: Record<string, unknown>[] = [];
  const logger = new Logger("debug", (line) => log.push(JSON.parse(line)));
  const hosts = { allowedFacilitatorHosts: [], clusterDomain: "cluster.local" };
  const clock = { ms: 0 };
  const client = new FacilitatorClient(
    { verifyMs: 5_000, settleMs: 5_000, ...settings },
    new FacilitatorAddresses(hosts, logger),
    logger,
    new Metrics().facilitators,
    () => clock.ms,
  );
  const { url } = facilitator;
  return {
    ...{ facilitator, client, log, clock },
    verify: (to = url, ended) => client.verify(payment, usdcTerms(to), resourceUrl, ended),
    settle: (to = url) => client.settle(payment, usdcTerms(to), resourceUrl),
    async [Symbol.asyncDispose]() {
      client.close();
      await facilitator[Symbol.asyncDispose]();
    },
  };
}

/** The kind of the outcome and the code and detail of its failure. */
export async function told(settling: ReturnType<FacilitatorClient["settle"]>) {
  const outcome = await settling;
  const failure = "failure" in outcome ? outcome.failure : undefined;
  return { kind: outcome.kind, code: failure?.code, detail: failure?.detail ?? "" };
}
