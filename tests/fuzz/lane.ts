import { ByteStream } from "./byte_stream.ts";
import type { Flight } from "./flight.ts";
import { Refused } from "./habits.ts";
import type { Judge } from "./judge.ts";
import { readReplies, type ReadReply } from "./read_reply.ts";

/** Longest wait for a reply that has to come, ms: long enough for a machine that does much else. */
const answerMs = 15_000;
/** Silence (ms) after which nothing more is expected of what is no proper request. */
const quietMs = 60;
/** The same when all replies are there that could be expected. */
const shortQuietMs = 5;
/** For the gateway to close its side after the client has closed its own, ms. */
const endMs = 300;

/** One client, with at most one connection at a time. */
export class Lane {
  #stream: ByteStream | undefined;

  constructor(private readonly port: number, private readonly judge: Judge) {}

  /** Sends a flight, and resolves with its replies when no more are to come. */
  async fly(flight: Flight): Promise<readonly ReadReply[]> {
    this.judge.begin(flight);
    if (!flight.plan.clean) return await this.#flyRaw(flight);
    if (this.#stream?.ended !== undefined) this.close();
    const used = this.#stream;
    if (used !== undefined) {
      const replies = await this.#flyClean(flight, used);
      // The gateway may close an idle connection at any time; then nobody has seen the request.
      if (used.ended === undefined || replies.length > 0 || flight.seen.length > 0) return replies;
    }
    this.#stream = await this.#connect();
    const replies = await this.#flyClean(flight, this.#stream);
    if (replies.length === 0) this.judge.report("no reply", "the connection was closed", flight);
    return replies;
  }

  close(): void {
    this.#stream?.close();
    this.#stream = undefined;
  }

  async #connect(): Promise<ByteStream> {
    return new ByteStream(await Deno.connect({ hostname: "127.0.0.1", port: this.port }));
  }

  async #flyClean(flight: Flight, stream: ByteStream): Promise<readonly ReadReply[]> {
    const { messages } = flight.strict;
    const sending = send(stream, flight);
    let replies: readonly ReadReply[] = [];
    for (;;) {
      const ended = stream.ended !== undefined;
      replies = this.#replies(flight, stream, ended);
      if (ended || replies.length === messages.length && replies.at(-1)!.complete) break;
      if (await stream.more(answerMs)) continue;
      this.judge.report("no reply", `${replies.length} of ${messages.length} in time`, flight);
      break;
    }
    const done = replies.length === messages.length && replies.at(-1)!.complete;
    if (!done || stream.ended !== undefined || replies.some(closes)) this.close();
    else stream.text = "";
    await sending;
    this.judge.replied(flight, replies);
    return replies;
  }

  async #flyRaw(flight: Flight): Promise<readonly ReadReply[]> {
    const stream = await this.#connect();
    await send(stream, flight);
    const { strict } = flight;
    const expected = strict.messages.length + (strict.refused === undefined ? 0 : 1);
    const count = () => this.#replies(flight, stream, false).length;
    // A gateway that cannot stop is found as well.
    const most = flight.mostMessages + 1;
    for (let got = count(); stream.ended === undefined && got <= most; got = count()) {
      if (!await stream.more(got >= expected ? shortQuietMs : quietMs)) break;
    }
    await stream.closeWrite();
    while (stream.ended === undefined && count() <= most && await stream.more(endMs));
    const replies = this.#replies(flight, stream, stream.ended !== undefined);
    stream.close();
    this.judge.replied(flight, replies);
    return replies;
  }

  #replies(flight: Flight, stream: ByteStream, ended: boolean): readonly ReadReply[] {
    // The preface of HTTP/2 is answered in HTTP/2.
    if (flight.text.startsWith("PRI * HTTP/2.0")) return [];
    try {
      return readReplies(stream.text, flight.methods, ended);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.judge.report("the gateway sent what is no reply", error.reason, flight);
      stream.close();
      stream.ended = "reset";
      stream.text = "";
      return [];
    }
  }
}

async function send(stream: ByteStream, { plan }: Flight): Promise<void> {
  for (const [index, piece] of plan.writes.entries()) {
    // The gateway gets a turn to read what is there.
    if (index > 0) await new Promise((resolve) => setTimeout(resolve, 0));
    if (!await stream.write(piece)) return;
  }
}

function closes({ headers }: ReadReply): boolean {
  return headers.some(([name, value]) => name === "connection" && /\bclose\b/i.test(value));
}
