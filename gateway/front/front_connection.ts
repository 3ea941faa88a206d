import { ConnectionReader } from "../http1/connection_reader.ts";
import { type Framing, persists, requestFraming } from "../http1/framing.ts";
import { MalformedMessage } from "../http1/malformed_message.ts";
import { parseRequestHead, type RequestHead } from "../http1/message_head.ts";
import { ClientRequest } from "./client_request.ts";
import { Deadline } from "./deadline.ts";
import type { FrontSettings } from "./front_settings.ts";
import { IncomingBody } from "./incoming_body.ts";
import { isSource, type Reply } from "./reply.ts";
import { ReplyWriter } from "./reply_writer.ts";
import { runTunnel } from "./tunnel.ts";

/** What a front does with requests. Neither may throw. */
export interface FrontHandler {
  answer(request: ClientRequest): Promise<Reply>;
  /** The reply to what is no request, or to a body that was no body before its head was sent. */
  refuse(error: unknown): Reply;
}

/** Of a connection on which nothing goes on, in bytes: ten thousand of them are 40 MB. */
const restingBytes = 4 * 1024;
/** Longest silence of a client that was answered and is still listened to, in ms. */
const silentMs = 2_000;
const continueLine = new TextEncoder().encode("HTTP/1.1 100 Continue\r\n\r\n");

/** One connection of a client: request after request, each answered before the next is read. */
export class FrontConnection {
  readonly #reader: ConnectionReader;
  readonly #deadline: Deadline;
  readonly #writer: ReplyWriter;
  readonly #peer: string;
  #request: ClientRequest | undefined;
  #idleSince: number | undefined;
  #isQuiet = false;
  #isNew = true;
  #isTurnedAway = false;
  #closed = false;
  readonly #end = Promise.withResolvers<void>();

  constructor(
    private readonly connection: Deno.TcpConn,
    private readonly settings: FrontSettings,
    private readonly handler: FrontHandler,
    private readonly clock: () => number,
    /** Whether clients are to be sent elsewhere: nothing more is taken after the current request. */
    private readonly isEnding: () => boolean,
  ) {
    // Without this a reply's last packet may wait for the acknowledgement of the one before.
    connection.setNoDelay(true);
    this.#peer = connection.remoteAddr.hostname;
    this.#reader = new ConnectionReader(connection, restingBytes);
    this.#deadline = new Deadline(clock, settings.clientRate);
    this.#writer = new ReplyWriter(connection, this.#deadline, settings.idleMs);
  }

  /**
   * Since when there is nothing to do but to wait for what the client sends: the next request, or the
   * rest of one that has been answered. Undefined while a request is served.
   */
  get idleSince(): number | undefined {
    return this.#idleSince;
  }

  /** Resolves when it is over and its file descriptor is free, which is a moment after `close`. */
  get ended(): Promise<void> {
    return this.#end.promise;
  }

  /** Nothing of a next request has come, and the last reply is not in danger of being lost. */
  get isQuiet(): boolean {
    return this.#isQuiet;
  }

  /** Nothing has been asked on it yet. */
  get isNew(): boolean {
    return this.#isNew;
  }

  /** Ends it if it should have moved on before. */
  expire(now: number): void {
    if (this.#deadline.isOver(now)) this.close();
  }

  /** Ends when the connection has. */
  async serve(): Promise<void> {
    try {
      while (await this.#serveOne()) {
        // next request
      }
    } catch {
      // The connection broke: whoever had to know has been told.
    } finally {
      this.close();
      this.#end.resolve();
    }
  }

  /**
   * Says why nothing is served, whatever is asked: without that, who comes first cannot tell a gateway
   * that has no place from one that is broken. Ends when the client has, or shortly after.
   */
  async turnAway(reason: unknown): Promise<void> {
    this.#isTurnedAway = true;
    try {
      await this.#writer.write(this.handler.refuse(reason), "GET", true, false);
      await this.connection.closeWrite();
      this.#deadline.set(Math.min(silentMs, this.settings.lingerMs));
    } catch {
      this.close();
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#idleSince = undefined;
    this.#isQuiet = false;
    this.#request?.markGone();
    try {
      this.connection.close();
    } catch {
      // closed by the runtime before
    }
  }

  /** @returns whether another request may follow */
  async #serveOne(): Promise<boolean> {
    let head: RequestHead | undefined;
    let framing: Framing;
    try {
      head = await this.#nextHead();
      if (head === undefined) return false;
      framing = requestFraming(head);
    } catch (error) {
      if (!(error instanceof MalformedMessage)) throw error;
      await this.#refuse(error);
      return false;
    }
    return await this.#exchange(head, framing);
  }

  /** @returns undefined when the client has ended the connection */
  async #nextHead(): Promise<RequestHead | undefined> {
    const { headMs, keepAliveMs, maxHeadBytes } = this.settings;
    let begun = this.#reader.available > 0;
    this.#idleSince = this.clock();
    this.#isQuiet = !begun;
    this.#deadline.set(begun ? headMs : keepAliveMs);
    for (;;) {
      if (this.#isTurnedAway) return void await this.#linger();
      const text = this.#reader.takeHead(maxHeadBytes);
      if (text !== undefined) {
        this.#idleSince = undefined;
        this.#isNew = false;
        this.#deadline.clear();
        return parseRequestHead(text);
      }
      if (!(await this.#reader.fill())) return undefined;
      // The time for a head runs from its first byte, however many there are in it.
      if (!begun) this.#deadline.set(headMs);
      begun = true;
      this.#isQuiet = false;
    }
  }

  async #exchange(head: RequestHead, framing: Framing): Promise<boolean> {
    const body = framing === 0 ? undefined : this.#incomingBody(head, framing);
    const request = this.#request = new ClientRequest(head, body ?? null, this.#peer);
    if (body === undefined) this.#watch();
    const reply = await this.handler.answer(request);
    // From here on `100 Continue` would be part of the reply.
    if (body?.isAwaited) body.cancel(new Error("the request is answered without its body"));
    const http11 = head.minorVersion === 1;
    // A connection of HTTP/1.0 could go on only if both sides said so, and few do.
    const mustEnd = !http11 || this.isEnding() || body?.isAwaited === true ||
      body?.isBroken === true || !persists(head.fields, head.minorVersion);
    const sent = await this.#send(request, reply, http11, !mustEnd);
    this.#request = undefined;
    if (sent === "broken") return false;
    this.#idleSince = this.clock();
    if (sent === "more" && (body === undefined || await body.discard())) return true;
    await this.#linger(sent === "last" ? body : undefined);
    return false;
  }

  async #refuse(reason: unknown): Promise<void> {
    await this.#writer.write(this.handler.refuse(reason), "GET", true, false);
    await this.#linger();
  }

  #incomingBody({ fields, minorVersion }: RequestHead, framing: Framing): IncomingBody {
    const isAwaited = minorVersion === 1 && fields.get("expect")?.toLowerCase() === "100-continue";
    const ask = isAwaited ? () => this.#writer.writeBytes(continueLine) : undefined;
    const { idleMs } = this.settings;
    const onEnd = () => {
      if (this.#request !== undefined) this.#watch();
    };
    return new IncomingBody(this.#reader, framing, this.#deadline, idleMs, ask, onEnd);
  }

  /**
   * Reads ahead while the request is served, which is how a client's leaving is noticed. The bytes of
   * a next request stay in the buffer, and then nothing is noticed any more: memory stays bounded.
   */
  #watch(): void {
    if (this.#reader.available > 0) return;
    this.#reader.rest();
    // Not with the request, whose header an idle connection would keep in memory until the next one.
    const gone = () => this.#request?.markGone();
    this.#reader.fill().then((more) => more || gone(), gone);
  }

  async #send(
    request: ClientRequest,
    reply: Reply,
    http11: boolean,
    mayPersist: boolean,
  ): Promise<"more" | "last" | "broken"> {
    if (reply.upgraded !== undefined) {
      await this.#upgrade(request, reply, reply.upgraded);
      return "broken";
    }
    try {
      const persists = await this.#writer.write(reply, request.method, http11, mayPersist);
      // What went out to somebody who is not there was not delivered.
      reply.onEnd?.(request.gone ? "aborted" : "delivered");
      return persists ? "more" : "last";
    } catch (error) {
      if (isSource(reply.body)) reply.body.cancel(error);
      reply.onEnd?.("aborted");
      if (this.#writer.begun) return "broken";
      await this.#writer.write(this.handler.refuse(error), request.method, http11, false);
      return "last";
    }
  }

  async #upgrade(
    request: ClientRequest,
    reply: Reply,
    upgraded: NonNullable<Reply["upgraded"]>,
  ): Promise<void> {
    try {
      if (request.gone) throw new Error("the client has left");
      await this.#writer.write(reply, request.method, true, true);
    } catch {
      upgraded.close();
      return reply.onEnd?.("aborted");
    }
    reply.onEnd?.("delivered");
    await runTunnel(this.connection, this.#reader, upgraded, this.#deadline, this.settings.idleMs);
  }

  /**
   * Takes what the client still sends, for a while: closing a connection with unread bytes resets it,
   * and the reply with it (RFC 9112, 9.6).
   * @param body what is left of it comes first, at its own pace: some read no reply before they have
   * sent all of their request
   */
  async #linger(body?: IncomingBody): Promise<void> {
    this.#idleSince ??= this.clock();
    await this.connection.closeWrite();
    await body?.discard();
    const end = this.clock() + this.settings.lingerMs;
    do {
      this.#reader.consume(Infinity);
      // Who is silent has nothing on its way that would reset the connection.
      this.#deadline.set(Math.min(silentMs, end - this.clock()));
    } while (await this.#reader.fill());
  }
}
