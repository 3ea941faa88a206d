import type { BenchServers } from "./bench_servers.ts";
import { hostOf } from "./manifests.ts";
import { type MeasureResult, type Round, summarize } from "./measure_result.ts";
import { gigabyte } from "./nginx_server.ts";
import { resetPeakRss, treeOf, treePeakRssMiB, treeRssMiB } from "./process_tree.ts";
import { rawReply } from "./raw_reply.ts";

export const download = "gateway: 1 GiB download", upload = "gateway: 1 GiB upload";

/** Requests before the first transfer: what a process takes for them is not the transfer's. */
const warmUp = 500;

/** Ms after which a transfer is given up. */
const patience = 120_000;

/**
 * 1 GiB through a gateway of its own, each way, and how far its memory rises.
 * @throws {Error} when not all of it arrives
 */
export async function measureTransfers(
  names: readonly string[],
  servers: BenchServers,
): Promise<MeasureResult[]> {
  const { pid, port } = await servers.gateway("transfers");
  const pids = await treeOf(pid);
  for (let sent = 0; sent < warmUp; sent++) await rawReply(port, hostOf(0), "/docs/1k");
  const results: MeasureResult[] = [];
  for (const name of names) {
    const before = await treeRssMiB(pids);
    await resetPeakRss(pids);
    const start = performance.now();
    await (name === download ? receiveGigabyte(port) : sendGigabyte(port));
    const round: Round = {
      seconds: (performance.now() - start) / 1000,
      addedRssMiB: await treePeakRssMiB(pids) - before,
    };
    results.push(summarize(name, [round]));
  }
  return results;
}

async function receiveGigabyte(port: number): Promise<void> {
  const { body } = await exchange(port, `GET /docs/1g HTTP/1.1\r\n`, 0);
  if (body !== gigabyte) throw new Error(`${download}: ${body} bytes arrived.`);
}

async function sendGigabyte(port: number): Promise<void> {
  const line = `POST /streams/upload HTTP/1.1\r\ncontent-length: ${gigabyte}\r\n`;
  const { start, body } = await exchange(port, line, gigabyte);
  // The backend replies with what it has counted.
  const counted = start.slice(-body);
  if (counted !== String(gigabyte)) throw new Error(`${upload}: the reply is\n${start}`);
}

/** Sends a body of `bytes` and reads the reply at the same time; returns its start and body size. */
async function exchange(port: number, line: string, bytes: number) {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const timer = setTimeout(() => connection.close(), patience);
  try {
    const head = `${line}host: ${hostOf(0)}\r\nconnection: close\r\n\r\n`;
    await connection.write(new TextEncoder().encode(head));
    const [reply] = await Promise.all([readAll(connection), sendZeros(connection, bytes)]);
    return reply;
  } finally {
    clearTimeout(timer);
  }
}

async function sendZeros(connection: Deno.Conn, bytes: number): Promise<void> {
  const zeros = new Uint8Array(256 * 1024);
  for (let sent = 0; sent < bytes;) {
    sent += await connection.write(zeros.subarray(0, Math.min(zeros.length, bytes - sent)));
  }
}

async function readAll(connection: Deno.Conn): Promise<{ start: string; body: number }> {
  const buffer = new Uint8Array(256 * 1024);
  let start = "", total = 0, headBytes = -1;
  for (;;) {
    const count = await connection.read(buffer);
    if (count === null) break;
    total += count;
    if (headBytes >= 0 && start.length >= 4096) continue;
    start += new TextDecoder("latin1").decode(buffer.subarray(0, Math.min(count, 4096)));
    const end = start.indexOf("\r\n\r\n");
    if (end >= 0) headBytes = end + 4;
  }
  return { start, body: total - headBytes };
}
