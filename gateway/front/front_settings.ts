import type { ClientRate } from "./deadline.ts";

/** Limits of the connections of clients; times in ms, sizes in bytes. */
export interface FrontSettings {
  /** More are answered 503 and closed, after those that have been idle for longest. */
  readonly maxConnections: number;
  /** From the first byte of a request to the end of its header. */
  readonly headMs: number;
  /** Between requests. */
  readonly keepAliveMs: number;
  /** Longest silence of a client that is to send or to take a body. */
  readonly idleMs: number;
  readonly clientRate: ClientRate;
  readonly maxHeadBytes: number;
  /** That a client which has been answered may go on sending before it is cut off. */
  readonly lingerMs: number;
  /** How late a deadline may be noticed; 250 ms by default. */
  readonly sweepMs?: number;
}

/** What `FrontHandler.refuse` is told when there are as many connections as there may be. */
export class TooManyConnections extends Error {}
