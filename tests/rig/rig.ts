import { type Chain, startChain } from "./chain.ts";
import { type Facilitator, startFacilitator } from "./facilitator.ts";
import { type Gateway, type GatewayOptions, startGateway } from "./gateway_process.ts";
import { type PaidApi, startPaidApi } from "./paid_api.ts";
import { type Ports, renderSamples, samplePorts, samplesFolder } from "./sample_manifests.ts";
import { deployUsdc, type Usdc } from "./usdc.ts";

/** Chain, token, facilitator and backend: everything that a paid request meets but the gateway. */
export interface Market extends AsyncDisposable {
  readonly chain: Chain;
  readonly usdc: Usdc;
  readonly facilitator: Facilitator;
  readonly api: PaidApi;
}

/** A market with a gateway in front of its API. */
export interface Rig extends Market {
  readonly gateway: Gateway;
  /** The folder that the gateway watches. */
  readonly manifests: string;
}

export interface RigOptions extends Partial<Omit<GatewayOptions, "manifests">> {
  /** Writes the manifests into the folder; the default is `deploy/samples` with these ports. */
  readonly writeManifests?: (folder: string, ports: Ports) => Promise<void>;
  /** Fixed ports for API and facilitator; free ones by default. */
  readonly ports?: Ports;
}

/** Starts all but the gateway; about 0.4 s. */
export async function startMarket(ports: Ports = { api: 0, facilitator: 0 }): Promise<Market> {
  await using started = new AsyncDisposableStack();
  const api = started.use(startPaidApi(ports.api));
  const chain = started.use(await startChain());
  const [usdc, facilitator] = await Promise.allSettled([
    deployUsdc(chain),
    startFacilitator(chain.rpcUrl, ports.facilitator).then((it) => started.use(it)),
  ]);
  const running = started.move();
  return {
    chain,
    usdc,
    facilitator,
    api,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
