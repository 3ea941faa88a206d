import assert from "node:assert/strict";
import { FacilitatorSupport } from "../../store/facilitator_support.ts";
import { Logger } from "../../store/log.ts";
import type { PaymentTerms, RouteSnapshot, Rule } from "../../store/route_snapshot.ts";
import { type AskSupported, SupportedPoller } from "./supported_poller.ts";

const times = { refreshMs: 600_000, retryMs: 5_000, maxRetryMs: 300_000 };

/** Only what the poller reads. */
function snapshotWith(urls: readonly string[], gone: readonly string[] = []): RouteSnapshot {
  const ingresses = (of: readonly string[]) => [{
    ...{ namespace: "shop", name: "web", tlsHosts: [] },
    rules: of.map((facilitatorUrl): Rule => ({
      pattern: "/paid",
      route: { namespace: "shop", name: "prices" },
      access: { kind: "paid", terms: { facilitatorUrl } as PaymentTerms },
    })),
  }];
  const fallback = { hosts: [], ingresses: ingresses(gone) };
  return { hosts: [], ingresses: ingresses(urls), ...(gone.length > 0 && { fallback }) };
}

const askOverHttp: AskSupported = async (url, signal) => {
  const reply = await fetch(`${url}/supported`, { signal });
  if (reply.ok) return await reply.json();
  await reply.body?.cancel();
  throw new Error(`status ${reply.status}`);
};

/** A poller whose time is told to it, and a facilitator on a socket that answers for its networks. */
function startPoller(ask: AskSupported = askOverHttp) {
  const networks: string[] = [];
  let asked = 0;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => {
    asked++;
    if (networks.length === 0) return new Response(null, { status: 500 });
    const kinds = networks.map((network) => ({ x402Version: 2, scheme: "exact", network }));
    return Response.json({ kinds });
  });
  const support = new FacilitatorSupport();
  const log: { level: string }[] = [];
  const logger = new Logger("debug", (line) => log.push(JSON.parse(line)));
  const scheduled: { ms: number; callback: () => void }[] = [];
  const news = new EventTarget();
  const poller = new SupportedPoller(ask, { support, ...times }, logger, (callback, ms) => {
    const entry = { ms, callback };
    scheduled.push(entry);
    news.dispatchEvent(new Event("scheduled"));
    return () => void scheduled.splice(scheduled.indexOf(entry), 1);
  });
  return {
    ...{ poller, support, networks, scheduled, url: `http://127.0.0.1:${server.addr.port}` },
    asked: () => asked,
    levels: () => log.map(({ level }) => level),
    /** Resolves with the time (ms) for which the next question has been put off. */
    async wait(): Promise<number> {
      while (scheduled.length === 0) {
        await new Promise((resolve) => news.addEventListener("scheduled", resolve, { once: true }));
      }
      return scheduled[0]!.ms;
    },
    /** Lets that time pass. */
    pass: () => scheduled.shift()!.callback(),
    async [Symbol.asyncDispose]() {
      poller.close();
      await server.shutdown();
    },
  };
}

function knownNetworks({ support, url }: ReturnType<typeof startPoller>) {
  return support.known.get(url)?.map(({ network }) => network);
}

Deno.test("a facilitator is asked at once, and again after the refresh time", async () => {
  await using test = startPoller();
  test.networks.push("eip155:8453");
  test.poller.follow(snapshotWith([test.url, test.url]));
  assert.equal(await test.wait(), times.refreshMs);
  assert.deepEqual(knownNetworks(test), ["eip155:8453"]);
  test.poller.follow(snapshotWith([test.url]));
  test.networks.push("eip155:84532");
  test.pass();
  await test.wait();
  assert.deepEqual(knownNetworks(test), ["eip155:8453", "eip155:84532"]);
  assert.equal(test.asked(), 2, "a new snapshot is no reason to ask again");
});

Deno.test("after failures it is asked again after 5 s, doubled up to 5 min, with one warning", async () => {
  await using test = startPoller();
  test.poller.follow(snapshotWith([test.url]));
  for (const seconds of [5, 10, 20, 40, 80, 160, 300, 300]) {
    assert.equal(await test.wait(), seconds * 1000);
    test.pass();
  }
  await test.wait();
  assert.equal(knownNetworks(test), undefined);
  assert.deepEqual(test.levels(), ["warn"]);
  test.networks.push("eip155:8453");
  test.pass();
  assert.equal(await test.wait(), times.refreshMs);
  assert.deepEqual(test.levels(), ["warn", "info"]);
  test.networks.pop();
  test.pass();
  assert.equal(await test.wait(), times.retryMs, "the next outage starts anew");
  assert.deepEqual(test.levels(), ["warn", "info", "warn"]);
  assert.deepEqual(knownNetworks(test), ["eip155:8453"], "the last answer outlives an outage");
});

Deno.test("an answer that nobody can read through is a failure like any other", async () => {
  const deep = JSON.parse("[".repeat(50_000) + "]".repeat(50_000));
  const kind = { x402Version: 2, scheme: "exact", network: "eip155:8453", extra: { deep } };
  await using test = startPoller(() => Promise.resolve({ kinds: [kind] }));
  test.poller.follow(snapshotWith([test.url]));
  assert.equal(await test.wait(), times.retryMs);
  assert.deepEqual(test.levels(), ["warn"]);
});

Deno.test("a facilitator of paths that are served for a last moment is kept", async () => {
  await using test = startPoller();
  test.networks.push("eip155:8453");
  test.poller.follow(snapshotWith([test.url]));
  await test.wait();
  test.poller.follow(snapshotWith([], [test.url]));
  assert.deepEqual(knownNetworks(test), ["eip155:8453"]);
});

Deno.test("a facilitator that is gone is forgotten and not asked again, until it is back", async () => {
  await using test = startPoller();
  test.networks.push("eip155:8453");
  test.poller.follow(snapshotWith([test.url]));
  await test.wait();
  test.poller.follow(snapshotWith([]));
  assert.equal(knownNetworks(test), undefined);
  assert.deepEqual(test.scheduled, []);
  test.poller.follow(snapshotWith([test.url]));
  await test.wait();
  assert.equal(test.asked(), 2);
});

Deno.test("an answer that comes when its facilitator is gone is dropped", async () => {
  const { promise, resolve } = Promise.withResolvers<{ kinds: [] }>();
  await using test = startPoller(() => promise);
  test.poller.follow(snapshotWith([test.url]));
  test.poller.follow(snapshotWith([]));
  resolve({ kinds: [] });
  await promise;
  await Promise.resolve();
  assert.equal(knownNetworks(test), undefined);
  assert.deepEqual(test.scheduled, []);
});

Deno.test("at most four are asked at once, all of them in the end", async () => {
  const open = new Map<string, () => void>();
  let asked = 0;
  await using test = startPoller((url) =>
    new Promise((resolve) => {
      asked++;
      open.set(url, () => (open.delete(url), resolve({ kinds: [] })));
    })
  );
  const urls = Array.from({ length: 10 }, (_, n) => `http://f${n}.example`);
  test.poller.follow(snapshotWith(urls));
  for (let done = 0; done < urls.length; done++) {
    assert.equal(open.size, Math.min(4, urls.length - done));
    [...open.values()][0]!();
    // The next one is asked a few turns after the answer has been taken.
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    assert.equal(test.scheduled.length, done + 1);
    assert.equal(asked, Math.min(urls.length, done + 5));
  }
  assert.deepEqual([...test.support.known.keys()].sort(), [...urls].sort());
});

Deno.test("closing ends calls in progress, without a word, and asks nobody any more", async () => {
  const { promise, resolve } = Promise.withResolvers<AbortSignal>();
  await using test = startPoller((_, signal) => {
    resolve(signal);
    return new Promise((_, reject) =>
      signal.addEventListener("abort", () => reject(signal.reason))
    );
  });
  test.poller.follow(snapshotWith([test.url]));
  const signal = await promise;
  test.poller.close();
  assert.ok(signal.aborted);
  test.poller.follow(snapshotWith(["http://other.example"]));
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual([test.levels(), test.scheduled, [...test.support.known]], [[], [], []]);
});
