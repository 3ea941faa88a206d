import type { FacilitatorHosts } from "../../store/facilitator_host.ts";
import type { Logger } from "../../store/log.ts";
import { CdpKey } from "./cdp_key.ts";
import { CdpTokens } from "./cdp_tokens.ts";
import { CredentialsError } from "./credentials_error.ts";
import {
  type HeaderLine,
  type HeadersFor,
  headersFor,
  parseFacilitatorHeaders,
} from "./facilitator_headers.ts";
import { SecretFiles } from "./secret_files.ts";
import { UrlPrefix } from "./url_prefix.ts";

/** Where the credentials of facilitators are. */
export interface CredentialSources {
  /** A file of `URL: { Header-Name: value }`. */
  readonly headersFile?: string;
  readonly cdp?: {
    readonly keyIdFile: string;
    readonly keySecretFile: string;
    /** URLs of the facilitators that take the key's tokens; Coinbase's if there are none. */
    readonly facilitators: readonly string[];
  };
}

const cdpFacilitator = "https://api.cdp.coinbase.com/platform/v2/x402";

/**
 * What facilitators have to be shown. Each secret goes to the URLs that the operator has named for
 * it and nowhere else, whatever URL an X402Route has.
 */
export class FacilitatorCredentials {
  private constructor(
    private readonly headers: SecretFiles<readonly HeadersFor[]> | undefined,
    private readonly tokens: SecretFiles<CdpTokens> | undefined,
    private readonly cdpPrefixes: readonly UrlPrefix[],
  ) {}

  /** @throws {CredentialsError} when a file or URL cannot be used */
  static async load(
    { headersFile, cdp }: CredentialSources,
    hosts: FacilitatorHosts,
    log: Logger,
    now?: () => number,
  ): Promise<FacilitatorCredentials> {
    const headers = headersFile === undefined ? undefined : await SecretFiles.open(
      [headersFile],
      ([text]) => parseFacilitatorHeaders(text!, headersFile, hosts),
      log,
      now,
    );
    if (cdp === undefined) return new FacilitatorCredentials(headers, undefined, []);
    const { keyIdFile, keySecretFile, facilitators } = cdp;
    const tokens = await SecretFiles.open(
      [keyIdFile, keySecretFile],
      ([id, secret]) => new CdpTokens(readKey(id!, keyIdFile, secret!, keySecretFile)),
      log,
      now,
    );
    const urls = facilitators.length > 0 ? facilitators : [cdpFacilitator];
    const prefixes = urls.map((url) => readPrefix(url, hosts));
    return new FacilitatorCredentials(headers, tokens, prefixes);
  }

  /** The header lines to add to one request. */
  async headersFor(method: string, url: string): Promise<HeaderLine[]> {
    const entries = await this.headers?.current() ?? [];
    const lines = [...headersFor(entries, url)];
    // The endpoints alone, not all that is below: a token is for one path, and routes name paths.
    const isCdp = this.cdpPrefixes.some((prefix) => prefix.isParentOf(url)) &&
      !lines.some(([name]) => name === "authorization");
    if (isCdp) {
      const tokens = await this.tokens!.current();
      lines.push(["authorization", `Bearer ${tokens.tokenFor(method, url)}`]);
    }
    return lines;
  }
}

function readKey(id: string, idFile: string, secret: string, secretFile: string): CdpKey {
  const name = id.trim();
  if (!/^[\x21-\x7e]{1,300}$/.test(name)) {
    throw new CredentialsError(`${idFile} has to hold the id of the API key, one line`);
  }
  try {
    return new CdpKey(name, secret);
  } catch (error) {
    throw new CredentialsError(`${secretFile}: ${(error as Error).message}`);
  }
}

function readPrefix(url: string, hosts: FacilitatorHosts): UrlPrefix {
  const prefix = UrlPrefix.parse(url, hosts);
  if (prefix instanceof UrlPrefix) return prefix;
  throw new CredentialsError(`--cdp-facilitator: ${prefix.refused}`);
}
