import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import {
  type FacilitatorHosts,
  hostOf,
  isAllowedHost,
  isClusterName,
} from "../../store/facilitator_host.ts";
import type { Logger } from "../../store/log.ts";
import { isPublicAddress } from "../../store/public_address.ts";
import { usesEnvironmentProxy } from "./environment_proxy.ts";
import { FacilitatorFailure } from "./facilitator_failure.ts";

/** The addresses of a name; rejects when there are none. */
export type Resolve = (name: string) => Promise<readonly string[]>;

/** How long the addresses of a name are believed, in ms. */
const defaultLifetimeMs = 30_000;

/**
 * Keeps the gateway from calling its own surroundings under a name that the author of an X402Route
 * controls: the addresses of a facilitator have to be public.
 *
 * `fetch` resolves the name once more, so a name server can still answer it otherwise. What protects
 * then is TLS: outside the cluster plan() accepts only https, and nothing is sent to a server that
 * has no certificate for the name.
 */
export class FacilitatorAddresses {
  readonly #resolutions = new Map<
    string,
    { until: number; refused: Promise<string | undefined> }
  >();

  constructor(
    private readonly hosts: FacilitatorHosts,
    private readonly log: Logger,
    private readonly resolve: Resolve = getaddrinfo,
    private readonly lifetimeMs = defaultLifetimeMs,
  ) {}

  /**
   * To be called before each request to a facilitator. A name that cannot be resolved passes: the
   * request itself will fail, and say why.
   * @throws {FacilitatorFailure} `facilitator_refused`
   */
  async check(facilitatorUrl: string): Promise<void> {
    const url = new URL(facilitatorUrl);
    if (this.#isExempt(url)) return;
    const refused = await this.#refusedAddress(url.hostname);
    if (refused !== undefined) {
      const detail = `${url.hostname} is at ${refused}`;
      throw new FacilitatorFailure("facilitator_refused", detail, "no");
    }
  }

  #isExempt(url: URL): boolean {
    const host = hostOf(url);
    // Of an address there is nothing to resolve; plan() has checked it.
    return isIP(host) !== 0 || isAllowedHost(url, this.hosts) || isClusterName(host, this.hosts) ||
      // The proxy resolves the name, and what it may reach is for its owner to say.
      usesEnvironmentProxy(url);
  }

  /** The first address of the name that is not public; requests at the same time share the answer. */
  #refusedAddress(name: string): Promise<string | undefined> {
    const now = performance.now();
    for (const [known, { until }] of this.#resolutions) {
      if (until <= now) this.#resolutions.delete(known);
    }
    const known = this.#resolutions.get(name);
    if (known !== undefined) return known.refused;
    const refused = this.#look(name);
    this.#resolutions.set(name, { until: now + this.lifetimeMs, refused });
    return refused;
  }

  async #look(name: string): Promise<string | undefined> {
    let addresses;
    try {
      addresses = await this.resolve(name);
    } catch {
      // Believed for no time: the next answer may be one to refuse.
      this.#resolutions.delete(name);
      return undefined;
    }
    const refused = addresses.find((address) => !isPublicAddress(address));
    if (refused !== undefined) {
      const hint = `--allow-facilitator-host ${name} allows it`;
      this.log.error("facilitator refused: its address is private", { name, addresses, hint });
    }
    return refused;
  }
}

/** As `fetch` resolves: with the hosts file and search domains, unlike `Deno.resolveDns`. */
async function getaddrinfo(name: string): Promise<string[]> {
  return (await lookup(name, { all: true })).map(({ address }) => address);
}
