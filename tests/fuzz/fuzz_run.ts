import type { GatewaySettings } from "../../gateway/mod.ts";
import { startTestGateway, usdcTerms } from "../support/test_gateway.ts";
import type { Flight } from "./flight.ts";
import { type Finding, Judge } from "./judge.ts";
import { Lane } from "./lane.ts";
import type { ReadReply } from "./read_reply.ts";
import { recordingBackend } from "./recording_backend.ts";
import { fuzzSnapshot } from "./routes.ts";

/** A gateway between a recording backend and clients that send whatever they are told to. */
export interface FuzzBed extends AsyncDisposable {
  readonly judge: Judge;
  /** Sends all flights, over so many connections at a time. */
  fly(flights: Iterable<Flight>, connections: number): Promise<void>;
  /** Sends one, and resolves with its replies. */
  flyOne(flight: Flight): Promise<readonly ReadReply[]>;
}

/** Log lines that are read at a time; a long run must not keep them. */
const logLines = 10_000;

export function startFuzzBed(changes: Partial<GatewaySettings> = {}): FuzzBed {
  const judge = new Judge();
  const backend = recordingBackend(judge);
  // Nobody pays here, so that everything that reaches the backend has to be free.
  const snapshot = fuzzSnapshot(backend.url, usdcTerms("http://127.0.0.1:1"));
  const gateway = startTestGateway(snapshot, changes);
  const { port } = gateway.gateway.addresses.gateway;

  function readLog(): void {
    for (const line of gateway.log) {
      // A backend that breaks off is none of the gateway's failures.
      const isReply = String(line.error).includes("error reading a body from connection");
      if (line.msg === "unanswered failure" && !isReply || line.code === "internal_error") {
        judge.report("the gateway failed", JSON.stringify(line));
      }
    }
    gateway.log.length = 0;
  }

  async function flyOne(flight: Flight, lane = new Lane(port, judge)) {
    const replies = await lane.fly(flight);
    const { statuses } = flight.plan;
    const got = replies.map(({ status }) => status);
    if (statuses !== undefined && statuses.join() !== got.join()) {
      judge.report("another status", `${got}, not ${statuses}`, flight);
    }
    if (gateway.log.length > logLines) readLog();
    return replies;
  }

  return {
    judge,
    async fly(flights, connections) {
      const queue = flights[Symbol.iterator]();
      await Promise.all(Array.from({ length: connections }, async () => {
        const lane = new Lane(port, judge);
        for (let next = queue.next(); !next.done; next = queue.next()) {
          await flyOne(next.value, lane);
        }
        lane.close();
      }));
    },
    async flyOne(flight) {
      const lane = new Lane(port, judge);
      try {
        return await flyOne(flight, lane);
      } finally {
        lane.close();
      }
    },
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      readLog();
      await backend[Symbol.asyncDispose]();
    },
  };
}

/** Findings told for people: each rule, by kind of flight, with the first flights that broke it. */
export function describeFindings(findings: readonly Finding[], each = 1): string {
  const rules = Map.groupBy(
    findings,
    ({ rule, flight }) => `${rule} (${flight?.plan.name ?? "-"})`,
  );
  return [...rules].map(([rule, group]) => {
    const told = group.slice(0, each).map(({ detail, flight }) =>
      `  ${detail.replaceAll("\n", "\n    ")}\n` +
      (flight === undefined ? "" : describeFlight(flight))
    );
    return `${group.length} x ${rule}\n${told.join("")}`;
  }).join("\n");
}

function describeFlight({ number, plan, text }: Flight): string {
  const { writes, replies } = plan;
  const sent = writes.length > 5 ? [text] : writes;
  const shown = sent.map((piece) => JSON.stringify(piece.slice(0, 3000))).join("\n    ");
  return `    flight ${number} in ${writes.length} pieces, answered with ${replies}\n    ${shown}\n`;
}
