/** What comes at the wrong moment; the rest is in tests/cluster/leader_election_test.ts. */
import assert from "node:assert/strict";
import { Candidate, short } from "../../tests/cluster/candidate.ts";
import { LeaderElection } from "./leader_election.ts";
import {
  ended,
  event,
  list,
  type Received,
  ScriptedApiServer,
  silent,
  status,
} from "./scripted_api_server.ts";

Deno.test("what the watch tells late does not undo what the server has answered since", async () => {
  const renewed = Promise.withResolvers<void>();
  const answers = {
    GET: () => list(5, [lease("dead", 5)]),
    WATCH: async () => {
      await renewed.promise;
      return silent(event("MODIFIED", lease("dead", 6)), event("MODIFIED", lease("me", 7)));
    },
    PUT: () => {
      renewed.resolve();
      return Response.json(lease("me", 7));
    },
  };
  await using server = electionServer(answers);
  await using candidate = new Candidate(server.client, "shop", "me", short);
  await candidate.untilLeading();
  // The watch was opened with the first renewal, so that by the third all of it has been read.
  await nthPut(server, 3);
  assert.equal(candidate.reported, "leader-seen leader-started");
});

Deno.test("a process that was suspended while it asked for the Lease does not lead by it", async () => {
  const { now } = performance;
  let puts = 0;
  const answers = {
    GET: () => list(5, [lease("dead", 5)]),
    WATCH: () => silent(),
    PUT: () => {
      if (++puts === 1) performance.now = () => now.call(performance) + short.leaseMs;
      return Response.json(lease("me", 5 + puts));
    },
  };
  await using server = electionServer(answers);
  try {
    await using candidate = new Candidate(server.client, "shop", "me", short);
    await nthPut(server, 2);
    assert.equal(candidate.reported, "leader-seen");
    await candidate.untilLeading();
  } finally {
    performance.now = now;
  }
});

Deno.test("a Lease that was lost before the answer came that it is ours is no term", async () => {
  const asked = Promise.withResolvers<void>();
  const lost = Promise.withResolvers<void>();
  const answers = {
    GET: () => list(5, [lease("dead", 5)]),
    WATCH: async () => {
      await asked.promise;
      const stolen = { ...lease("thief", 7), spec: { holderIdentity: "thief" } };
      return silent(event("MODIFIED", stolen));
    },
    PUT: async () => {
      asked.resolve();
      await lost.promise;
      return Response.json(lease("me", 6));
    },
  };
  await using server = electionServer(answers);
  await using candidate = new Candidate(server.client, "shop", "me", short);
  await candidate.until(() => candidate.reported === "leader-seen leader-seen");
  lost.resolve();
  // The thief's Lease lasts as long as ours, and its end brings the next request.
  await nthPut(server, 2);
  assert.ok(!candidate.reported.includes("leader-started"), candidate.reported);
});

Deno.test("a server that was set back to a backup has a leader again", async () => {
  let lists = 0, watches = 0;
  await using server = electionServer({
    GET: () => lists++ === 0 ? list(90, [lease("dead", 90)]) : list(5, [lease("dead", 5)]),
    WATCH: () => watches++ === 0 ? status(410, "Expired") : silent(),
    PUT: ({ body }) =>
      JSON.parse(body).metadata.resourceVersion === "90"
        ? status(409, "Conflict")
        : Response.json(lease("me", 7)),
  });
  await using candidate = new Candidate(server.client, "shop", "me", short);
  await candidate.untilLeading();
});

Deno.test("a Lease that was deleted is made anew by its holder at once, others wait for him", async () => {
  const renewed = Promise.withResolvers<void>();
  let posts = 0;
  const answers = {
    GET: () => list(5, [lease("me", 5)]),
    WATCH: async () => {
      await renewed.promise;
      return silent(event("DELETED", lease("me", 8)));
    },
    PUT: () => {
      renewed.resolve();
      return Response.json(lease("me", 7));
    },
    POST: () => {
      posts++;
      return Response.json(lease("me", 9));
    },
  };
  await using server = electionServer(answers);
  const times = { leaseMs: 60_000, renewMs: 40_000, retryMs: 20_000 };
  await using holder = new Candidate(server.client, "shop", "me", times);
  await holder.untilLeading();
  const begun = performance.now();
  while ((await server.request(server.received.length)).method !== "POST");
  assert.ok(performance.now() - begun < 10_000);
  assert.equal(posts, 1);
  assert.equal(holder.reported, "leader-started");
});

Deno.test("who has seen a holder does not take the place of a Lease that was deleted at once", async () => {
  const seen = Promise.withResolvers<number>();
  const taken = Promise.withResolvers<number>();
  const held = {
    ...lease("other", 5),
    spec: { holderIdentity: "other", leaseDurationSeconds: 900 },
  };
  await using server = electionServer({
    GET: () => list(5, [held]),
    WATCH: () => {
      seen.resolve(performance.now());
      return silent(event("DELETED", { ...held, metadata: lease("other", 6).metadata }));
    },
    PUT: () => Response.json(lease("me", 7)),
    POST: () => {
      taken.resolve(performance.now());
      return Response.json(lease("me", 7));
    },
  });
  await using candidate = new Candidate(server.client, "shop", "me", short);
  await candidate.untilLeading();
  const waited = await taken.promise - await seen.promise;
  // Not at once, and not for what a Lease says that nobody renews any more.
  assert.ok(waited > short.leaseMs - 200 && waited < short.leaseMs + 1_000, `${waited} ms`);
});

const times = [
  { leaseMs: 10_000, renewMs: 10_000 },
  { renewMs: 2400, retryMs: 2000 },
  { retryMs: 0 },
];

for (const wrong of times) {
  Deno.test(`times of ${JSON.stringify(wrong)} are refused`, async () => {
    await using server = new ScriptedApiServer([() => ended()]);
    const { client } = server;
    const options = { client, namespace: "shop", name: "operator", identity: "me" };
    const election = () =>
      new LeaderElection({ ...options, ...wrong, lead: () => Promise.resolve(), report() {} });
    assert.throws(election, { name: "RangeError", message: /each has to be longer than the next/ });
  });
}

type Answer = (request: Received) => Response | Promise<Response>;

function electionServer(
  answers: Readonly<Record<"GET" | "WATCH" | "PUT", Answer> & { POST?: Answer }>,
) {
  return new ScriptedApiServer([(request) => {
    const kind = request.query.has("watch") ? "WATCH" : request.method;
    return answers[kind as keyof typeof answers]!(request);
  }]);
}

/** A Lease that may be taken at once. */
function lease(holderIdentity: string, version: number) {
  return {
    metadata: { namespace: "shop", name: "operator", resourceVersion: `${version}` },
    spec: { holderIdentity, leaseDurationSeconds: 0 },
  };
}

/** Resolves when the nth PUT, counted from 1, has come. */
async function nthPut(server: ScriptedApiServer, n: number): Promise<void> {
  for (let request = 0; n > 0; request++) {
    if ((await server.request(request)).method === "PUT") n--;
  }
}
