/** What a real API server cannot be made to answer; the rest is in tests/cluster. */
import assert from "node:assert/strict";
import type { RawObject, WriteProblem } from "../cluster_state.ts";
import type { ClusterWrite } from "../plan/cluster_write.ts";
import type { Plan } from "../plan/plan.ts";
import type { RouteStatus } from "../plan/route_status.ts";
import { ClusterWriter, type ConditionEvent, type WriterEvent } from "./cluster_writer.ts";
import { type Received, ScriptedApiServer, status } from "./scripted_api_server.ts";

const name = { namespace: "shop", name: "api" };
const route: RawObject = { metadata: { ...name, resourceVersion: "7" } };
const written = {
  routes: new Map([["shop/api", route]]),
  ingresses: new Map([["shop/api", route]]),
};

const routeStatus: RouteStatus = {
  ...name,
  inForce: "as written",
  activeRoutes: 1,
  conditions: [{ type: "Ready", status: "True", reason: "Ready", message: "All is well." }],
  problems: [],
  warnings: [],
};

const patch = {
  ...name,
  verb: "patch",
  resourceVersion: "7",
  operations: [],
  note: "a write",
} as const;

interface Seen {
  readonly received: readonly Received[];
  readonly events: readonly (WriterEvent | ConditionEvent)[];
  readonly problems: ReadonlyMap<string, WriteProblem>;
}

/** Carries out one plan until it is done, as seen after each request, report and problem. */
async function carryOut(
  { writes = [], statuses = [] }: { writes?: ClusterWrite[]; statuses?: RouteStatus[] },
  answer: (request: Received) => Response,
  isDone: (seen: Seen) => boolean,
) {
  const events: (WriterEvent | ConditionEvent)[] = [];
  const term = new AbortController();
  const { promise, resolve } = Promise.withResolvers<void>();
  await using server = new ScriptedApiServer([
    (request) => (queueMicrotask(look), answer(request)),
  ]);
  const { received } = server;
  const writer: ClusterWriter = new ClusterWriter({
    client: server.client,
    identity: "me",
    drainRoutesMs: 0,
    isLeader: () => true,
    report: (event) => (events.push(event), look()),
    onProblems: () => look(),
  });
  const look = () => {
    if (isDone({ received, events, problems: writer.problems })) resolve();
  };
  writer.carryOut({ writes, statuses } as unknown as Plan, written, term.signal);
  await promise;
  const problems = new Map(writer.problems);
  term.abort();
  await writer.stop();
  return { received, events, problems };
}

Deno.test("a status is bound to the version that it was decided on, and what is dropped is told", async () => {
  const answer = () => Response.json({ metadata: { ...name, resourceVersion: "8" }, status: {} });
  const { received, events } = await carryOut(
    { statuses: [routeStatus] },
    answer,
    ({ events }) => events.some(({ type }) => type === "crd-outdated"),
  );
  assert.equal(JSON.parse(received[0]!.body).metadata.resourceVersion, "7");
  assert.equal(events.filter(({ type }) => type === "crd-outdated").length, 1);
});

Deno.test("what the server fails at twice is told in its words", async () => {
  const { problems, events } = await carryOut(
    { writes: [{ ...patch, resource: "ingresses" }] },
    () => status(500, "InternalError"),
    ({ problems }) => problems.size > 0,
  );
  assert.match(problems.get("ingresses shop/api")!.message, /500 the message of InternalError/);
  assert.equal(events.length, 2);
});

Deno.test("who deletes an X402Route is told of the paths that nobody can put back", async () => {
  const warning = "it is not known where it led before";
  const { received } = await carryOut(
    { writes: [{ ...patch, resource: "x402routes", warning }] },
    () => Response.json({}),
    ({ received }) => received.length === 2,
  );
  const { type, reason, note } = JSON.parse(received[1]!.body);
  assert.deepEqual([type, reason, note], ["Warning", "OriginalUnknown", warning]);
});
