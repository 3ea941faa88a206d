/** For tests: both transports, asked in one way, and answers that can be compared. */
import { type ByteSource, readAll } from "../../http1/byte_source.ts";
import { Abort } from "../abort.ts";
import type { PoolLimits } from "../connection_pool.ts";
import { FetchTransport } from "../fetch_transport.ts";
import { Http1Transport } from "../http1_transport.ts";
import { latin1 } from "../raw_sockets.ts";
import { UpstreamFailure, type UpstreamRequest, type UpstreamTransport } from "../transport.ts";

export type TransportName = "http1" | "fetch";

/** One promise to whoever calls backends, kept by both transports unless it says otherwise. */
export interface Case {
  readonly name: string;
  /** @param transport new, and closed afterwards */
  run(transport: UpstreamTransport, name: TransportName): Promise<void>;
}

/** What both have to do, or each in its own way. */
export type Expected = string | Readonly<Record<TransportName, string>>;

export function expectedOf(expected: Expected, name: TransportName): string {
  return typeof expected === "string" ? expected : expected[name];
}

/** So large that a test which runs into them fails or hangs. */
export const defaultLimits: PoolLimits = {
  maxConnections: 100,
  maxWaiting: 100,
  maxIdle: 100,
  idleMs: 60_000,
  onceIdleMs: 60_000,
};
export const defaultDialing = { connectMs: 60_000, caCerts: [] };

export function openTransport(name: TransportName): UpstreamTransport {
  return name === "fetch"
    ? new FetchTransport()
    : new Http1Transport(defaultLimits, defaultDialing);
}

export function request(origin: string, parts: Partial<UpstreamRequest> = {}): UpstreamRequest {
  return {
    method: "GET",
    origin,
    target: "/",
    headers: [["host", "h"]],
    body: null,
    once: false,
    abort: new Abort(),
    ...parts,
  };
}

/**
 * `200 text`, or `200 <broken>` if the body does not end well; `code sent:maybe` of a failure.
 */
export async function outcome(
  transport: UpstreamTransport,
  origin: string,
  parts: Partial<UpstreamRequest> = {},
): Promise<string> {
  try {
    const { status, body } = await transport.send(request(origin, parts));
    return `${status} ${body === null ? "" : await textOf(body).catch(() => "<broken>")}`;
  } catch (error) {
    if (!(error instanceof UpstreamFailure)) return String(error);
    return `${error.code} sent:${error.sent}`;
  }
}

export async function textOf(body: ByteSource): Promise<string> {
  return latin1(await readAll(body));
}

/** A body that gives these pieces one by one, and then whatever the last function does. */
export class Pieces implements ByteSource {
  /** Why nobody wants the rest. */
  readonly cancelled: Promise<unknown>;
  readonly #cancel: (reason: unknown) => void;
  #next = 0;

  constructor(
    private readonly pieces: readonly (Uint8Array | string)[],
    readonly length: number | undefined,
    private readonly last: (cancelled: Promise<unknown>) => Promise<null> = () =>
      Promise.resolve(null),
  ) {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.cancelled = promise;
    this.#cancel = resolve;
  }

  take(): undefined {
    return undefined;
  }

  async read(): Promise<Uint8Array | null> {
    const piece = this.pieces[this.#next++];
    if (piece === undefined) return await this.last(this.cancelled);
    return typeof piece === "string" ? new TextEncoder().encode(piece) : piece;
  }

  cancel(reason: unknown): void {
    this.#cancel(reason);
  }
}

/** The end of a body that does not come: its client is silent until nobody wants it any more. */
export async function silent(cancelled: Promise<unknown>): Promise<never> {
  throw await cancelled;
}

/** Gives way to whatever else is ready, sockets included. */
export function pause(ms = 0): Promise<void> {
  return new Promise((next) => setTimeout(next, ms));
}
