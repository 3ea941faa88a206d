/** The leader election against a real API server. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { ChildProcess } from "../rig/child_process.ts";
import { AdminClient } from "./admin_client.ts";
import { Candidate, short } from "./candidate.ts";
import type { Live } from "./kube_kinds.ts";
import { clusterTest, serverTest } from "./test_cluster.ts";

clusterTest(
  "one of three leads, and the next one as soon as the Lease is released",
  async (cluster) => {
    const namespace = await cluster.createNamespace();
    using client = new AdminClient(cluster.access);
    // With the usual times: only a watch can be faster than the retry of 2 s.
    const candidates = ["a", "b", "c"].map((name) => new Candidate(client, namespace, name));
    while (candidates.length > 0) {
      await Promise.race(candidates.map((candidate) => candidate.untilLeading()));
      const leaders = candidates.filter(({ election }) => election.isLeader());
      assert.equal(leaders.length, 1);
      const [leader] = leaders as [Candidate];
      const { spec } = await cluster.admin.get("Lease", { namespace, name: "operator" });
      assert.equal(spec?.holderIdentity, leader.identity);
      candidates.splice(candidates.indexOf(leader), 1);
      const released = performance.now();
      await leader[Symbol.asyncDispose]();
      assert.equal(leader.leading, 0);
      if (candidates.length === 0) break;
      await Promise.race(candidates.map((candidate) => candidate.untilLeading()));
      assert.ok(performance.now() - released < 1000, `${performance.now() - released} ms`);
    }
    const { spec } = await cluster.admin.get("Lease", { namespace, name: "operator" });
    assert.equal(spec?.holderIdentity, "");
    assert.equal(spec?.leaseDurationSeconds, 1);
    assert.equal(spec?.leaseTransitions, 2);
    assert.match(`${spec?.renewTime}`, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  },
);

clusterTest("a process that was suspended never thinks that it still leads", async (cluster) => {
  const namespace = await cluster.createNamespace();
  const program = fileURLToPath(new URL("candidate_process.ts", import.meta.url));
  const args = [JSON.stringify(cluster.access), namespace, "suspended"];
  await using suspended = new ChildProcess("candidate", [
    Deno.execPath(),
    "run",
    "-A",
    program,
    ...args,
  ]);
  await suspended.find((line) => JSON.parse(line).leads ? line : undefined);
  using client = new AdminClient(cluster.access);
  await using other = new Candidate(client, namespace, "other", short);
  await other.until(() => other.reported.includes("leader-seen"));
  Deno.kill(suspended.pid, "SIGSTOP");
  await other.untilLeading();
  const since = Date.now();
  const known = suspended.lines.length;
  Deno.kill(suspended.pid, "SIGCONT");
  await suspended.find((line) => JSON.parse(line).time > since + 500 ? line : undefined);
  const wrong = suspended.lines.slice(known).filter((line) => {
    const { time, leads } = JSON.parse(line);
    return time > since && leads;
  });
  assert.deepEqual(wrong, []);
  assert.equal(other.election.isLeader(), true);
});

clusterTest("a Lease that is taken by force ends the term at once", async (cluster) => {
  const namespace = await cluster.createNamespace();
  using client = new AdminClient(cluster.access);
  await using candidate = new Candidate(client, namespace, "a");
  await candidate.untilLeading();
  const spec = { holderIdentity: "thief", leaseDurationSeconds: 1 };
  await cluster.admin.patch("Lease", { namespace, name: "operator" }, { spec });
  const taken = performance.now();
  await candidate.untilStopped();
  assert.ok(performance.now() - taken < 500, "before the next renewal");
  assert.equal(candidate.election.isLeader(), false);
  await candidate.until(() => candidate.terms === 2);
  assert.ok(performance.now() - taken >= 900, "the thief's second is respected");
});

for (const renewTime of ["2000-01-01T00:00:00.000000Z", "2100-01-01T00:00:00.000000Z"]) {
  clusterTest(
    `a holder whose clock says ${renewTime.slice(0, 4)} is waited for as any other`,
    async (cluster) => {
      const namespace = await cluster.createNamespace();
      await cluster.admin.create({
        apiVersion: "coordination.k8s.io/v1",
        kind: "Lease",
        metadata: { namespace, name: "operator" },
        spec: { holderIdentity: "dead", leaseDurationSeconds: 1, renewTime },
      });
      const started = performance.now();
      using client = new AdminClient(cluster.access);
      await using candidate = new Candidate(client, namespace, "a", short);
      await candidate.untilLeading();
      const waited = performance.now() - started;
      assert.ok(waited >= 1000 && waited < 2500, `${waited} ms`);
    },
  );
}

clusterTest("who edits or deletes the Lease does not end the term", async (cluster) => {
  const namespace = await cluster.createNamespace();
  const lease = { namespace, name: "operator" };
  using client = new AdminClient(cluster.access);
  await using candidate = new Candidate(client, namespace, "a", short);
  await candidate.untilLeading();
  const metadata = { annotations: { note: "kept" } };
  const edited = await cluster.admin.patch("Lease", lease, { metadata });
  const renewed = await cluster.admin.waitUntil("Lease", lease, isAfter(edited));
  assert.equal(renewed?.metadata.annotations?.note, "kept");
  await cluster.admin.delete("Lease", lease);
  await cluster.admin.waitUntil("Lease", lease, (lease) => lease?.spec?.holderIdentity === "a");
  // Longer than it may go without a renewal.
  await new Promise((resolve) => setTimeout(resolve, short.renewMs));
  assert.equal(candidate.election.isLeader(), true);
  assert.equal(candidate.terms, 1);
  assert.ok(!candidate.reported.includes("leader-stopped"));
});

serverTest(
  "a leader that cannot renew stops in time, and leads again later",
  async (cluster, server) => {
    const namespace = await cluster.createNamespace();
    using client = new AdminClient(cluster.access);
    await using candidate = new Candidate(client, namespace, "a", short);
    await candidate.untilLeading();
    const { promise: lastWrites, resolve: finish } = Promise.withResolvers<void>();
    candidate.lastWrites = lastWrites;
    server.suspend();
    const suspended = performance.now();
    await candidate.untilStopped();
    const took = performance.now() - suspended;
    assert.ok(took <= short.renewMs + 100, `${took} ms`);
    assert.equal(candidate.election.isLeader(), false);
    server.resume();
    // The work of the first term is not over: the candidate fails if a second one begins meanwhile.
    await new Promise((resolve) => setTimeout(resolve, 3 * short.retryMs));
    assert.equal(candidate.terms, 1);
    finish();
    await candidate.until(() => candidate.terms === 2);
  },
);

/** Renewed by its holder after it was as given. */
function isAfter(edited: Live<"Lease">) {
  return (lease?: Live<"Lease">) =>
    lease !== undefined && lease.metadata.resourceVersion !== edited.metadata.resourceVersion &&
    `${lease.spec?.renewTime}` !== `${edited.spec?.renewTime}`;
}
