import { type Chain, startChain } from "./chain.ts";
import { type Facilitator, startFacilitator } from "./facilitator.ts";
import { type Gateway, type GatewayOptions, startGateway } from "./gateway_process.ts";
import { type PaidApi, startPaidApi } from "./paid_api.ts";
import { type Ports, renderSamples } from "./sample_manifests.ts";
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

export interface RigOptions extends Partial<GatewayOptions> {
  /** Fixed ports for API and facilitator; free ones by default. */
  readonly ports?: Ports;
  /**
   * Fills the folder of the manifests, unless `manifests` names one to be used as it is. The
   * default is `deploy/samples` with these ports.
   */
  readonly writeManifests?: (folder: string, ports: Ports) => Promise<void>;
}

/** Starts all but the gateway; about 0.4 s. */
export async function startMarket(ports: Ports = { api: 0, facilitator: 0 }): Promise<Market> {
  await using started = new AsyncDisposableStack();
  const api = started.use(startPaidApi(ports.api));
  const chain = started.use(await startChain());
  const starting = startFacilitator(chain.rpcUrl, ports.facilitator);
  // Deferred before it is there, so that a failure beside it does not leave its process behind.
  started.defer(() => starting.then((it) => it[Symbol.asyncDispose](), () => {}));
  const [usdc, facilitator] = await Promise.all([deployUsdc(chain), starting]);
  const running = started.move();
  return {
    chain,
    usdc,
    facilitator,
    api,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Starts everything; about 1 s. */
export async function startRig(options: RigOptions = {}): Promise<Rig> {
  const { writeManifests = renderSamples, ports, flags = [], ...gatewayOptions } = options;
  await using started = new AsyncDisposableStack();
  const market = started.use(await startMarket(ports));
  const manifests = options.manifests ?? await Deno.makeTempDir({ prefix: "x402-rig-" });
  if (options.manifests === undefined) {
    started.defer(() => Deno.remove(manifests, { recursive: true }));
    const facilitator = Number(new URL(market.facilitator.url).port);
    await writeManifests(manifests, { api: market.api.port, facilitator });
  }
  const gateway = started.use(
    await startGateway({ ...gatewayOptions, manifests, flags: [...allowLoopback, ...flags] }),
  );
  const running = started.move();
  return { ...market, gateway, manifests, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** The facilitator of the rig is where users' facilitators must not be. */
export const allowLoopback: readonly string[] = ["localhost", "127.0.0.1"]
  .flatMap((host) => ["--allow-facilitator-host", host]);
