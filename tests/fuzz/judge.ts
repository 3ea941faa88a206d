/** The oracle: looks at all that reaches the backend and at all that comes back to the clients. */
import { backendReply, poison, type ReplyKind } from "./backend_replies.ts";
import { type Flight, flightOf, idsOf, mentionedIds } from "./flight.ts";
import { judgeHeaders, judgeTrailers } from "./judge_headers.ts";
import { judgePrice } from "./judge_price.ts";
import type { ReadMessage } from "./read_stream.ts";
import type { ReadReply } from "./read_reply.ts";
import type { Arrival, ArrivedBody, BackendWitness } from "./recording_backend.ts";

export interface Finding {
  /** Which rule is broken; findings of one rule and one kind of flight are told once or twice. */
  readonly rule: string;
  readonly detail: string;
  readonly flight: Flight | undefined;
}

/** Requests may arrive after their client has gone. */
const keptFlights = 20_000;

export class Judge implements BackendWitness {
  readonly findings: Finding[] = [];
  /** Requests that the backend got. */
  arrivals = 0;
  readonly #flights = new Map<number, Flight>();

  begin(flight: Flight): void {
    this.#flights.set(flight.number % 1e7, flight);
    this.#flights.delete((flight.number - keptFlights) % 1e7);
  }

  report(rule: string, detail: string, flight?: Flight): void {
    this.findings.push({ rule, detail, flight });
  }

  arrived(arrival: Arrival): { id: string; kind: ReplyKind } {
    this.arrivals++;
    const [id, ...others] = idsOf(arrival);
    const flight = this.#flights.get(flightOf(id ?? "") ?? -1);
    if (id === undefined || flight === undefined) {
      this.report("a request that nobody sent", arrival.raw);
      return { id: "unknown", kind: "sized" };
    }
    const report = (rule: string, detail: string) => this.report(rule, detail, flight);
    const sent = flight.sent(id);
    if (!sent.some((message) => others.join() === idsOf(message).slice(1).join())) {
      if (others.some((other) => other !== id)) report("two requests mixed", arrival.raw);
    }
    flight.seen.push(id);
    const times = flight.seen.filter((other) => other === id).length;
    if (times > Math.max(1, flight.count(id)) && !mayComeAgain(flight, id, arrival)) {
      report("a request arrived twice", arrival.raw);
    }
    const framing = judgeFraming(flight, id);
    if (framing !== undefined) report(framing.rule, framing.detail);
    const price = judgePrice(arrival, sent);
    if (price?.price === "preflight") flight.preflights.add(id);
    else if (price !== undefined) {
      report(`reached the backend for nothing: ${price.price}`, price.how);
    }
    const offence = judgeHeaders(arrival, sent[0]);
    if (offence !== undefined) {
      report("a header that must not arrive", `${offence}\n${arrival.raw}`);
    }
    return { id, kind: flight.replyKind(id) };
  }

  bodyArrived(id: string, { body, trailers, complete }: ArrivedBody): void {
    const flight = this.#flights.get(flightOf(id) ?? -1);
    if (flight === undefined) return;
    const offence = judgeTrailers(trailers);
    if (offence !== undefined) this.report("a trailer that must not arrive", offence, flight);
    const sent = flight.sent(id);
    const strictly = flight.strict.messages.findLast((message) => idsOf(message)[0] === id);
    if (complete && body === "" && sent.some(hasNoBody)) return;
    const fits = sent.some((message) =>
      complete ? message.body === body : !message.complete || message.body.startsWith(body)
    );
    if (complete && strictly !== undefined && !strictly.complete) {
      const reason = flight.strict.refused ?? "cut off";
      this.report(`a body without its end arrived whole: ${reason}`, body, flight);
    } else if (sent.length > 0 && !fits) {
      const detail = `${JSON.stringify(body)}, not ${JSON.stringify(sent[0]!.body)}`;
      this.report("another body", detail, flight);
    }
  }

  malformed(reason: string, raw: string): void {
    const flight = this.#flights.get(flightOf(raw) ?? -1);
    this.report("the backend got what is no HTTP/1.1", `${reason}\n${raw}`, flight);
  }

  /** All final replies of a flight, when no more are expected. */
  replied(flight: Flight, replies: readonly ReadReply[]): void {
    const report = (rule: string, detail: string) => this.report(rule, detail, flight);
    if (replies.length > flight.mostMessages + 1) {
      report("more replies than requests", `${replies.length} of ${flight.mostMessages}`);
    }
    for (const [index, reply] of replies.entries()) {
      const text = JSON.stringify(reply);
      if (text.includes(poison)) report("a reply that nobody asked for", text);
      if (reply.status === 500) report("the gateway failed", text);
      // The backend's replies have the id in a header and in the body, a 402 has it in its resource.
      const isAnswer = mentionedIds(text).every((id) =>
        flight.readings.some(({ messages }) =>
          messages[index] !== undefined && idsOf(messages[index]).includes(id)
        )
      );
      if (!isAnswer) report("a reply to another request", `${index}: ${text}`);
      const echoed = reply.headers.filter(([name]) => name === "x-echo-id").map(([, v]) => v);
      if (echoed.length > 1) report("two replies mixed", text);
      else if (isLost(flight, index, reply)) report("a sound reply was lost", text);
      if (echoed[0] !== undefined) this.#judgeReplyBody(flight, echoed[0], index, reply);
    }
  }

  #judgeReplyBody(flight: Flight, id: string, index: number, reply: ReadReply): void {
    const method = flight.methods[index] ?? "GET";
    const kind = flight.replyKind(id);
    const { expected, unfinished, unusable } = backendReply(kind, id, method);
    if (unusable) this.report("a faulty reply was passed on", kind, flight);
    if (flight.preflights.has(id) && reply.body !== "") {
      this.report("a preflight brought something of value", reply.body, flight);
    }
    const isWhole = reply.complete && !reply.unframed;
    if (unfinished && isWhole && !/^(?:HEAD|OPTIONS)$/.test(method)) {
      this.report("a reply that was cut off looks whole", JSON.stringify(reply), flight);
    }
    if (expected === undefined || !reply.complete) return;
    // It ends early for a client that closes its side, as those do whose requests are broken.
    if (reply.unframed && !flight.plan.clean) return;
    const preflight = method === "OPTIONS" && reply.body === "";
    if (expected.status !== reply.status || expected.body !== reply.body && !preflight) {
      const detail = `${kind}: ${JSON.stringify(reply).slice(0, 500)}`;
      this.report("another reply than the backend's", detail, flight);
    }
  }
}

/** Those of GET do not pass, and a preflight has none. */
function hasNoBody({ method, headers }: ReadMessage): boolean {
  return method === "GET" || method === "HEAD" || method === "OPTIONS" &&
      headers.some(([name]) => name === "access-control-request-method");
}

/** The backend got the request, and did not get its answer through. */
function isLost(flight: Flight, index: number, { status, headers }: ReadReply): boolean {
  const message = flight.strict.messages[index];
  if (!flight.plan.clean || message === undefined || status < 502 || status > 504) return false;
  const [id = ""] = idsOf(message);
  const isSound = backendReply(flight.replyKind(id), id, message.method).expected !== undefined;
  return isSound && flight.seen.includes(id) && !headers.some(([name]) => name === "x-echo-id");
}

/** On a connection that the backend has closed without an answer (RFC 9112, 9.3.1). */
function mayComeAgain(flight: Flight, id: string, { method }: Arrival): boolean {
  return flight.replyKind(id) === "no reply" && /^(?:GET|HEAD|OPTIONS|PUT|DELETE)$/.test(method);
}

/** Whether some parser takes the request for a part of another one, or for none at all. */
function judgeFraming(
  flight: Flight,
  id: string,
): { readonly rule: string; readonly detail: string } | undefined {
  const at = flight.text.indexOf(id);
  for (const { by, messages, until } of flight.readings) {
    if (at >= until || messages.some((message) => idsOf(message).includes(id))) continue;
    return { rule: "a smuggled request", detail: `${id} is part of another message: ${by.name}` };
  }
  const { messages, refused, until } = flight.strict;
  const fault = messages.find((message) => idsOf(message)[0] === id)?.fault;
  if (fault !== undefined) return { rule: `accepted: ${fault}`, detail: id };
  if (at < until || refused === undefined) return undefined;
  return { rule: `accepted: ${refused}`, detail: `${id} at ${at}, refused at ${until}` };
}
