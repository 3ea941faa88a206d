import type { Command } from "commander";
import {
  CredentialsError,
  FacilitatorCredentials,
  type FacilitatorSettings,
} from "../gateway/mod.ts";
import type { FacilitatorHosts } from "../store/facilitator_host.ts";
import type { Logger } from "../store/log.ts";
import { atLeastOne, duration, urlList, wholeNumber } from "./flag_values.ts";
import { flag, parsed, repeatable } from "./gateway_flags.ts";
import { UsageError } from "./usage_error.ts";

/** How facilitators are called: times in milliseconds. */
export interface FacilitatorFlags {
  readonly verifyTimeout: number;
  readonly settleTimeout: number;
  readonly facilitatorMaxInFlight: number;
  readonly facilitatorMaxWaiting: number;
  readonly facilitatorQueueTimeout: number;
  readonly facilitatorHeadersFile?: string;
  readonly cdpApiKeyIdFile?: string;
  readonly cdpApiKeySecretFile?: string;
  readonly cdpFacilitator: readonly string[];
}

export function addFacilitatorFlags(command: Command): Command {
  return command
    .addOption(parsed("--verify-timeout <time>", "of one /verify call", duration, "10s"))
    .addOption(
      parsed(
        "--settle-timeout <time>",
        "of one /settle call, which waits for a block",
        duration,
        "60s",
      ),
    )
    .addOption(
      parsed(
        "--facilitator-max-in-flight <number>",
        "calls to one facilitator at the same time; others wait",
        atLeastOne,
        "64",
      ),
    )
    .addOption(
      parsed(
        "--facilitator-max-waiting <number>",
        "calls to one facilitator that wait for their turn, then 503",
        wholeNumber,
        "1024",
      ),
    )
    .addOption(
      parsed(
        "--facilitator-queue-timeout <time>",
        "that a call waits for its turn, then 503",
        duration,
        "2s",
      ),
    )
    .addOption(
      flag(
        "--facilitator-headers-file <file>",
        "YAML or JSON: URL of a facilitator to the headers it wants, such as Authorization",
      ),
    )
    .addOption(flag("--cdp-api-key-id-file <file>", "id of a Coinbase Developer Platform API key"))
    .addOption(
      flag(
        "--cdp-api-key-secret-file <file>",
        "its secret: Ed25519 in base64, or an EC key in PEM",
      ),
    )
    .addOption(
      repeatable(
        "--cdp-facilitator <url>",
        "facilitator that takes this key, instead of Coinbase's",
        urlList,
      ),
    );
}

/** @throws {UsageError} when a file of credentials cannot be used */
export async function facilitatorSettings(
  flags: FacilitatorFlags,
  hosts: FacilitatorHosts,
  log: Logger,
): Promise<FacilitatorSettings> {
  const { facilitatorHeadersFile: headersFile } = flags;
  const cdp = cdpSources(flags);
  const sources = { ...(headersFile !== undefined && { headersFile }), ...(cdp && { cdp }) };
  try {
    return {
      verifyMs: flags.verifyTimeout,
      settleMs: flags.settleTimeout,
      maxInFlight: flags.facilitatorMaxInFlight,
      maxWaiting: flags.facilitatorMaxWaiting,
      queueMs: flags.facilitatorQueueTimeout,
      credentials: await FacilitatorCredentials.load(sources, hosts, log),
    };
  } catch (error) {
    if (error instanceof CredentialsError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

function cdpSources({ cdpApiKeyIdFile, cdpApiKeySecretFile, cdpFacilitator }: FacilitatorFlags) {
  if (cdpApiKeyIdFile !== undefined && cdpApiKeySecretFile !== undefined) {
    return {
      keyIdFile: cdpApiKeyIdFile,
      keySecretFile: cdpApiKeySecretFile,
      facilitators: cdpFacilitator,
    };
  }
  if (cdpApiKeyIdFile !== undefined || cdpApiKeySecretFile !== undefined) {
    throw new UsageError("--cdp-api-key-id-file and --cdp-api-key-secret-file need each other.");
  }
  if (cdpFacilitator.length > 0) {
    throw new UsageError(
      "--cdp-facilitator needs --cdp-api-key-id-file and --cdp-api-key-secret-file.",
    );
  }
}
