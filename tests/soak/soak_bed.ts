import { Random } from "../fuzz/random.ts";
import { calmHeap } from "./growth.ts";
import { ManifestWriter } from "./manifest_writer.ts";
import { SoakBackend } from "./soak_backend.ts";
import { settleTimeoutMs, SoakFacilitator, verifyTimeoutMs } from "./soak_facilitator.ts";
import { startWatchedGateway, type WatchedGateway } from "./watched_gateway.ts";

/** Everything that a soak runs against: the gateway as a process, and what is behind it. */
export interface SoakBed extends WatchedGateway {
  readonly writer: ManifestWriter;
  readonly steadyBackend: SoakBackend;
  readonly frailBackend: SoakBackend;
  readonly steadyFacilitator: SoakFacilitator;
  readonly frailFacilitator: SoakFacilitator;
  /** Ends all but the gateway, so that nothing keeps its connections open. */
  leaveGatewayAlone(): Promise<void>;
}

/** Short times, so that one soak sees many timeouts; ample for what works. */
const flags = [
  // Payments and counts across isolates, however many cores there are.
  ...["--workers", "2"],
  ...["--upstream-timeout", "3s", "--idle-timeout", "10s", "--drain-timeout", "10s"],
  ...["--verify-timeout", `${verifyTimeoutMs}ms`, "--settle-timeout", `${settleTimeoutMs}ms`],
  ...["--reconcile-interval", "200ms", "--payment-lease", "10s"],
  ...["--allow-facilitator-host", "127.0.0.1", "--trusted-proxies", "127.0.0.1/32"],
];

/** @param seed of the manifests */
export async function startSoakBed(seed: number, moreFlags: readonly string[]): Promise<SoakBed> {
  await using started = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "x402-soak-" });
  started.defer(() => Deno.remove(folder, { recursive: true }));
  const manifests = `${folder}/manifests`;
  await Deno.mkdir(manifests);
  const behind = started.use(new AsyncDisposableStack());
  const steadyBackend = behind.use(await SoakBackend.start());
  const frailBackend = behind.use(await SoakBackend.start());
  const steadyFacilitator = behind.use(new SoakFacilitator());
  const frailFacilitator = behind.use(new SoakFacilitator());
  const targets = {
    steadyBackend: steadyBackend.port,
    frailBackend: frailBackend.port,
    steadyFacilitator: steadyFacilitator.url,
    frailFacilitator: frailFacilitator.url,
  };
  const writer = new ManifestWriter(manifests, targets, new Random(seed));
  await writer.begin();
  const ledger = ["--ledger", `${folder}/payments.db`];
  const allFlags = [...flags, ...ledger, ...moreFlags];
  const { gateway, end } = started.use(
    await startWatchedGateway(
      { manifests, flags: allFlags, env: calmHeap },
      `${folder}/errors.txt`,
    ),
  );
  const running = started.move();
  return {
    ...{ gateway, end, writer, steadyBackend, frailBackend, steadyFacilitator, frailFacilitator },
    leaveGatewayAlone: () => behind.disposeAsync(),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
