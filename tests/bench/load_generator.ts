/**
 * Raw keep-alive HTTP/1.1 over plain sockets, as cheap as possible because it shares the machine
 * with the server it measures. Usage: `load_generator.ts PLAN`, PLAN being a LoadPlan as JSON;
 * prints a LoadResult.
 */
import type { LoadPlan, LoadResult } from "./load_plan.ts";
import { paymentHeaders } from "./unsigned_payment.ts";
import { cpuSeconds } from "./process_usage.ts";

/** Bytes of a whole reply at most. */
const maxReplyBytes = 16 * 1024;

const latin1 = new TextDecoder("latin1");

/** Request bytes are made before the clock starts; without payments all requests are the same one. */
function prepareRequests({ path, paymentFor, maxRequests }: LoadPlan): Uint8Array[] {
  const head = `GET ${path} HTTP/1.1\r\nhost: api.example.com\r\nuser-agent: bench\r\n`;
  const headers = paymentFor === undefined ? [""] : paymentHeaders(paymentFor, maxRequests);
  const encoder = new TextEncoder();
  return headers.map((line) => encoder.encode(`${head}${line}\r\n`));
}

/** Sends requests one after the other until `next` has none left. */
async function runConnection(
  conn: Deno.Conn,
  next: () => Uint8Array | undefined,
  onReply: (status: number, ms: number) => void,
): Promise<void> {
  const buffer = new Uint8Array(maxReplyBytes);
  for (let request = next(); request !== undefined; request = next()) {
    const start = performance.now();
    for (let sent = 0; sent < request.length;) sent += await conn.write(request.subarray(sent));
    const status = await readReply(conn, buffer);
    onReply(status, performance.now() - start);
  }
}

/** Reads one reply that has a Content-Length and returns its status. */
async function readReply(conn: Deno.Conn, buffer: Uint8Array): Promise<number> {
  let filled = 0;
  let total = Infinity;
  while (filled < total) {
    const count = await conn.read(buffer.subarray(filled));
    if (!count) throw new Error(`The reply ended after ${filled} bytes.`);
    filled += count;
    if (total === Infinity) total = replyLength(latin1.decode(buffer.subarray(0, filled)));
  }
  if (filled > total) throw new Error(`The reply has ${filled} bytes instead of ${total}.`);
  return (buffer[9]! - 48) * 100 + (buffer[10]! - 48) * 10 + (buffer[11]! - 48);
}

/** Bytes of head and body, `Infinity` while the head is incomplete. */
function replyLength(text: string): number {
  const headEnd = text.indexOf("\r\n\r\n");
  if (headEnd < 0) return Infinity;
  const length = /\r\ncontent-length: (\d+)\r\n/i.exec(text.slice(0, headEnd + 2))?.[1];
  if (length === undefined) throw new Error(`The reply has no Content-Length:\n${text}`);
  return headEnd + 4 + Number(length);
}

/** @throws {Error} at the first reply that is not the expected one */
async function runLoad(plan: LoadPlan): Promise<LoadResult> {
  const requests = prepareRequests(plan);
  const opened = Array.from({ length: plan.connections }, () => Deno.connect({ port: plan.port }));
  const connections = await Promise.all(opened);
  const latencies: number[] = [];
  const start = performance.now();
  const end = start + plan.seconds * 1000;
  const cpuBefore = await cpuSeconds(Deno.pid);
  let sent = 0;
  const next = () => {
    if (sent >= plan.maxRequests || performance.now() > end) return undefined;
    return requests[sent++ % requests.length];
  };
  await Promise.all(connections.map((conn) =>
    runConnection(conn, next, (status, ms) => {
      if (status !== plan.expectedStatus) {
        throw new Error(`A reply has status ${status} instead of ${plan.expectedStatus}.`);
      }
      latencies.push(ms);
    })
  ));
  const seconds = (performance.now() - start) / 1000;
  for (const conn of connections) conn.close();
  latencies.sort((a, b) => a - b);
  return {
    requests: latencies.length,
    seconds,
    generatorCpuSeconds: await cpuSeconds(Deno.pid) - cpuBefore,
    p50: latencies[Math.floor(latencies.length * 0.5)]!,
    p99: latencies[Math.floor(latencies.length * 0.99)]!,
  };
}

const result = await runLoad(JSON.parse(Deno.args[0]!));
await new Blob([JSON.stringify(result)]).stream().pipeTo(Deno.stdout.writable);
