/** The author applies the original Ingress again: how long a paid path is free, as clients see it. */
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { print } from "../rig/narration.ts";
import { type Front, startFront } from "./nginx_front.ts";
import { throughGateway } from "./operator_manifests.ts";
import { proxyTest } from "./test_proxy.ts";

const rounds = 20;

/** Clients that send one request after the other: together one about every millisecond. */
const clients = 4;

/** What the project asks for, in ms, in addition to nginx's own reload. */
const bar = 200;

/** Machines that run tests are slow now and then; in ms, in addition to nginx's own reload. */
const limit = 1_000;

/** One round; all in ms. */
interface Round {
  /** From the request of the author until the Ingress is patched again. */
  readonly patched: number;
  /** From the first to the last request that was served without payment. */
  readonly free: number;
  /** From the patch until nginx has taken it over; 0 where it saw nothing of it all. */
  readonly reload: number;
}

proxyTest("the original Ingress is applied again: free for a moment at most", async (cluster) => {
  await using front = await startFront(cluster);
  const { scenario } = front;
  await scenario.applyIngress("web", { "/api": "api" });
  await scenario.applyRoute("prices", { rules: [{ path: "/api/**" }] });
  await front.untilCharged();
  await scenario.untilReady("prices");

  const all: Round[] = [];
  for (let round = 0; round < rounds; round++) all.push(await applyAgain(front, round));
  print(`original applied again, seen through nginx, ${rounds} rounds`);
  print(figures("patched again after", all.map(({ patched }) => patched)));
  print(figures("a paid path is free", all.map(({ free }) => free)));
  print(figures("nginx's own reload", all.map(({ reload }) => reload)));
  print(`  of these rounds free: ${all.filter(({ free }) => free > 0).length}`);
  const beyond = Math.max(...all.map(({ free, reload }) => free - reload));
  print(`  free beyond the reload: ${beyond.toFixed(0)} ms  (at most ${bar}: ${verdict(beyond)})`);
  assert.ok(beyond < limit, `${beyond} ms`);
});

async function applyAgain(front: Front, round: number): Promise<Round> {
  const { scenario, proxy } = front;
  const probing = startProbing(front);
  const known = proxy.reloads.length;
  // Something changes in a cluster all the time. It decides when nginx looks the next time: in some
  // rounds it finds the original Ingress, in others the patched one only.
  await scenario.applyIngress("neighbour", { [`/${round}`]: "site" });
  await pause(2 * round);

  const started = performance.now();
  await scenario.applyIngress("web", { "/api": "api" });
  const { metadata } = await scenario.untilBackends("web", { "/api": throughGateway });
  const patchedAt = performance.now();
  await proxy.waitUntilRendered(({ ingresses }) =>
    ingresses.some((it) => it.metadata.resourceVersion === metadata.resourceVersion)
  );
  const free = await probing.end();
  const [last] = proxy.reloads.slice(known).reverse();
  return {
    patched: patchedAt - started,
    free,
    reload: free === 0 || last === undefined ? 0 : last.liveAt - last.changedAt,
  };
}

function startProbing({ ask }: Front) {
  let ended = false;
  let first = Infinity, last = -Infinity;
  const client = async () => {
    while (!ended) {
      const sent = performance.now();
      const seen = await ask("/api/x");
      if (seen === "402") continue;
      assert.equal(seen, "200 api");
      [first, last] = [Math.min(first, sent), Math.max(last, performance.now())];
    }
  };
  const running = Promise.all(Array.from({ length: clients }, client));
  return {
    /** Resolves with the ms from the first to the last request that cost nothing. */
    async end(): Promise<number> {
      ended = true;
      await running;
      return Math.max(last - first, 0);
    },
  };
}

function figures(name: string, values: readonly number[]): string {
  const ordered = values.toSorted((a, b) => a - b);
  const [min, median, max] = [0, Math.floor(ordered.length / 2), ordered.length - 1]
    .map((index) => ordered[index]!.toFixed(0));
  return `  ${`${name}:`.padEnd(24)}min ${min} ms, median ${median} ms, max ${max} ms`;
}

function verdict(ms: number): string {
  return ms <= bar ? "met" : "NOT met";
}
