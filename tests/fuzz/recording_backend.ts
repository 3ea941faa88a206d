/** The backend: takes requests off raw connections, shows each to the judge, and answers. */
import { type BackendReply, backendReply, type ReplyKind } from "./backend_replies.ts";
import { ByteStream } from "./byte_stream.ts";
import { Refused, strictHabits } from "./habits.ts";
import { LineReader } from "./read_lines.ts";
import { type MessageHead, readHead } from "./read_head.ts";
import { readBody, startBody } from "./read_stream.ts";

/** A request whose head has arrived. */
export interface Arrival extends MessageHead {
  /** The bytes as they came. */
  readonly raw: string;
}

export interface ArrivedBody {
  readonly body: string;
  readonly trailers: readonly (readonly [name: string, value: string])[];
  readonly complete: boolean;
}

/** Who looks at what arrives. */
export interface BackendWitness {
  /** @returns the id to answer with, and how */
  arrived(arrival: Arrival): { readonly id: string; readonly kind: ReplyKind };
  bodyArrived(id: string, body: ArrivedBody): void;
  /** What came is no HTTP request. */
  malformed(reason: string, raw: string): void;
}

export interface RecordingBackend extends AsyncDisposable {
  readonly url: string;
}

/** Milliseconds between the pieces of a reply: long enough that they are read one by one. */
const pieceMs = 2;
/** Longest wait for more of a request; the gateway keeps idle connections for less. */
const idleMs = 60_000;

export function recordingBackend(witness: BackendWitness): RecordingBackend {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<ByteStream>();
  const serving = new Set<Promise<void>>();

  const accepting = (async () => {
    for await (const connection of listener) {
      const stream = new ByteStream(connection);
      open.add(stream);
      const served = serve(stream, witness).finally(() => {
        open.delete(stream);
        serving.delete(served);
        stream.close();
      });
      serving.add(served);
    }
  })();

  return {
    url: `http://127.0.0.1:${listener.addr.port}`,
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const stream of open) stream.close();
      await accepting.catch(() => {});
      await Promise.all(serving);
    },
  };
}

async function serve(stream: ByteStream, witness: BackendWitness): Promise<void> {
  try {
    while (await serveOne(stream, witness));
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    witness.malformed(error.reason, stream.text);
  }
}

/** @throws {Refused} */
async function serveOne(stream: ByteStream, witness: BackendWitness): Promise<boolean> {
  const read = await arrivedHead(stream);
  if (read === undefined) return false;
  const { head, end } = read;
  const framing = startBody(head, strictHabits, 0);
  const { id, kind } = witness.arrived({ ...head, raw: stream.text.slice(0, end) });
  const reply = backendReply(kind, id, head.method);
  if (reply.early && !await write(stream, reply)) return false;
  if (reply.early && reply.close) return false;
  for (;;) {
    const lines = new LineReader(stream.text, end, strictHabits);
    const body = readBody(lines, framing);
    if (body.complete || stream.ended !== undefined) {
      witness.bodyArrived(id, body);
      if (!body.complete) return false;
      stream.drop(lines.at);
      break;
    }
    if (!await stream.more(idleMs)) return false;
  }
  if (!reply.early && !await write(stream, reply)) return false;
  if (reply.last) await seeNothing(stream, witness);
  return !reply.close && !reply.last;
}

/** A client must not use a connection after `Connection: close` (RFC 9112, 9.6). */
async function seeNothing(stream: ByteStream, witness: BackendWitness): Promise<void> {
  while (stream.ended === undefined && await stream.more(idleMs));
  if (stream.text !== "") witness.malformed("a connection that was to be closed", stream.text);
}

async function arrivedHead(
  stream: ByteStream,
): Promise<{ head: MessageHead; end: number } | undefined> {
  for (;;) {
    const lines = new LineReader(stream.text, 0, strictHabits);
    const head = readHead(lines);
    if (head !== undefined) return { head, end: lines.at };
    if (stream.ended !== undefined || !await stream.more(idleMs)) return undefined;
  }
}

async function write(stream: ByteStream, { writes }: BackendReply): Promise<boolean> {
  for (const [index, piece] of writes.entries()) {
    if (index > 0) await new Promise((resolve) => setTimeout(resolve, pieceMs));
    if (!await stream.write(piece)) return false;
  }
  return true;
}
