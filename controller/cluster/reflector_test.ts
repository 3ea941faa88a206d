/** What a real API server cannot be made to do; the rest is in tests/cluster/reflector_test.ts. */
import assert from "node:assert/strict";
import {
  ended,
  event,
  list,
  object,
  ScriptedApiServer,
  silent,
  status,
} from "./scripted_api_server.ts";
import { TestReflector } from "./test_reflector.ts";

const resource = { path: "/api/v1/services", query: { labelSelector: "a=b" } };

Deno.test("pages are one change, known when it is told", async () => {
  await using server = new ScriptedApiServer([
    () => list(9, [object("a", 1), object("b", 2)], "the rest"),
    () => list(9, [object("c", 3)]),
    () => silent(),
  ]);
  await using test = new TestReflector(server.client, resource);
  await test.reflector.whenSynced;
  assert.equal(test.known, "a@1 b@2 c@3");
  assert.equal(test.changes, 1);
  assert.equal((await server.request(0)).query.get("limit"), "500");
  assert.equal((await server.request(1)).query.get("continue"), "the rest");
  const { query } = await server.request(2);
  assert.equal(query.get("resourceVersion"), "9");
  assert.equal(query.get("allowWatchBookmarks"), "true");
  for (const { query } of server.received) assert.equal(query.get("labelSelector"), "a=b");
});

Deno.test("an empty list is news as well", async () => {
  await using server = new ScriptedApiServer([() => list(9, []), () => silent()]);
  await using test = new TestReflector(server.client, resource);
  await test.until(() => test.changes === 1);
  assert.equal(test.reflector.synced, true);
});

Deno.test("items of a list say what they are, as those of events do", async () => {
  await using server = new ScriptedApiServer([() => list(9, [object("a", 1)]), () => silent()]);
  await using test = new TestReflector(server.client, resource);
  await test.reflector.whenSynced;
  const { apiVersion, kind } = test.reflector.objects.get("shop/a")!;
  assert.deepEqual({ apiVersion, kind }, { apiVersion: "v1", kind: "Service" });
});

Deno.test("pages that were compacted meanwhile are asked for again in one", async () => {
  await using server = new ScriptedApiServer([
    () => list(9, [object("a", 1)], "the rest"),
    () => status(410, "Expired"),
    () => list(12, [object("b", 11)]),
    () => silent(),
  ]);
  await using test = new TestReflector(server.client, resource);
  await test.reflector.whenSynced;
  assert.equal(test.known, "b@11");
  const { query } = await server.request(2);
  assert.deepEqual([query.get("limit"), query.get("continue")], [null, null]);
  assert.equal((await server.request(3)).query.get("resourceVersion"), "12");
});

const gone = {
  "as an answer": () => status(410, "Expired"),
  "as an event": () => ended(event("ERROR", { kind: "Status", code: 410, reason: "Expired" })),
};

for (const [how, answer] of Object.entries(gone)) {
  Deno.test(`410 Gone ${how} leads to a list, of which only what differs is a change`, async () => {
    await using server = new ScriptedApiServer([
      () => list(9, [object("a", 1), object("b", 2)]),
      answer,
      () => list(20, [object("b", 2), object("a", 1)]),
      answer,
      () => list(30, [object("b", 25)]),
      () => silent(),
    ]);
    await using test = new TestReflector(server.client, resource);
    await test.until(() => test.known === "b@25");
    assert.equal(test.changes, 2, "the list of the same objects is none");
    assert.equal(test.reflector.restarts, 2);
    assert.equal((await server.request(5)).query.get("resourceVersion"), "30");
  });
}

Deno.test("a watch that dies silently is resumed where it was", async () => {
  await using server = new ScriptedApiServer([
    () => list(9, []),
    () => silent(event("ADDED", object("a", 10)), event("BOOKMARK", object("", 15))),
    () => silent(event("MODIFIED", object("a", 16))),
  ]);
  await using test = new TestReflector(server.client, resource, { silenceMs: 100 });
  await test.until(() => test.known === "a@16");
  assert.equal((await server.request(2)).query.get("resourceVersion"), "15");
  assert.match(JSON.stringify(test.reported), /gone silent.*watch-restored/);
});

Deno.test("a watch that never says a word is not trusted: a list tells what it has missed", async () => {
  await using server = new ScriptedApiServer([
    () => list(900, [object("a", 900)]),
    // As after the server was set back to a backup.
    () => silent(),
    () => list(20, [object("a", 15)]),
    () => silent(),
  ]);
  await using test = new TestReflector(server.client, resource, { silenceMs: 100 });
  await test.until(() => test.known === "a@15");
});

Deno.test("a watch is not given up while something is heard", async () => {
  const encoder = new TextEncoder();
  const bookmark = encoder.encode(JSON.stringify(event("BOOKMARK", object("", 10))) + "\n");
  const quiet = Promise.withResolvers<void>();
  await using server = new ScriptedApiServer([
    () => list(9, []),
    () => {
      let timer = 0;
      let sent = 0;
      const stop = () => clearInterval(timer);
      return new Response(
        new ReadableStream({
          start(controller) {
            timer = setInterval(() => {
              controller.enqueue(bookmark);
              if (++sent === 8) quiet.resolve();
            }, 50) as unknown as number;
          },
          cancel: stop,
        }),
      );
    },
  ]);
  await using test = new TestReflector(server.client, resource, { silenceMs: 200 });
  await quiet.promise;
  assert.equal(server.received.length, 2);
  assert.equal(test.reflector.connected, true);
});

Deno.test("an older form never takes the place of a newer one", async () => {
  await using server = new ScriptedApiServer([
    () => list(9, [object("a", 9)]),
    () =>
      silent(
        event("MODIFIED", object("a", 10)),
        event("MODIFIED", object("a", 9)),
        event("DELETED", object("a", 9)),
        event("MODIFIED", object("a", 10)),
        event("ADDED", object("b", 11)),
      ),
  ]);
  await using test = new TestReflector(server.client, resource);
  await test.until(() => test.known === "a@10 b@11");
  assert.equal(test.changes, 3);
});

Deno.test("what `read` refuses stays as it was read last, if ever, and is told once", async () => {
  const bad = { ...object("c", 3), bad: true };
  await using server = new ScriptedApiServer([
    () => list(9, [object("a", 1), object("b", 2), bad]),
    () => ended(event("MODIFIED", { ...object("a", 10), bad: true })),
    () => status(410, "Expired"),
    () => list(20, [{ ...object("a", 10), bad: true }, object("b", 2), bad]),
    () => silent(event("MODIFIED", object("a", 21))),
  ]);
  const states: string[] = [];
  await using test: TestReflector = new TestReflector(server.client, resource, {
    read(object) {
      if (object.bad) throw new Error("this is bad");
      return object;
    },
  });
  await test.until(() => states.push(test.known) > 0 && test.known === "a@21 b@2");
  assert.deepEqual(new Set(states), new Set(["", "a@1 b@2", "a@21 b@2"]));
  const refusals = test.reported.filter(({ type }) => type === "object-refused");
  const { path } = resource;
  assert.deepEqual(
    refusals,
    ["shop/c", "shop/a"].map((key) => ({
      type: "object-refused",
      path,
      key,
      reason: "this is bad",
    })),
  );
});

const faults = {
  "an error": () => status(500, "InternalError"),
  "no API server": () => new Response("<html>"),
  "the end at once": () => ended(),
  "no event": () => ended({ type: "ADDED" }),
};

for (const [what, fault] of Object.entries(faults)) {
  Deno.test(`after ${what} the next attempts come less and less often`, async () => {
    const { random } = Math;
    Math.random = () => 0.5;
    try {
      await using server = new ScriptedApiServer([
        ({ query }) => query.has("watch") ? fault() : list(9, []),
      ]);
      await using test = new TestReflector(server.client, resource);
      const waits = () =>
        test.reported.flatMap((event) => event.type === "watch-lost" ? [event.retryMs] : []);
      await test.until(() => waits().length === 4);
      assert.deepEqual(waits(), [50, 100, 200, 400]);
      assert.equal(test.reflector.connected, false);
      assert.equal(test.reflector.restarts, 4);
    } finally {
      Math.random = random;
    }
  });
}

Deno.test("410 Gone after an outage: the list does not wait as long as for the server", async () => {
  const { random } = Math;
  Math.random = () => 0.5;
  try {
    const outage = Array.from({ length: 3 }, () => () => status(500, "InternalError"));
    await using server = new ScriptedApiServer([
      ...[() => list(9, []), ...outage, () => status(410, "Expired"), () => list(20, [])],
      ...[() => status(410, "Expired"), () => list(30, [object("a", 25)]), () => silent()],
    ]);
    await using test = new TestReflector(server.client, resource);
    await test.until(() => test.known === "a@25");
    const waits = test.reported
      .flatMap((event) => event.type === "watch-lost" ? [event.retryMs] : []);
    assert.deepEqual(waits, [50, 100, 200, 50, 100], "the second list in a row has to wait again");
  } finally {
    Math.random = random;
  }
});

Deno.test("a server that asks for a pause gets it", async () => {
  await using server = new ScriptedApiServer([
    () => status(429, "TooManyRequests", { "retry-after": "7" }),
  ]);
  await using test = new TestReflector(server.client, resource);
  await test.until(() => test.reported.length === 1);
  const lost = test.reported[0]!;
  assert.equal(lost.type === "watch-lost" && lost.retryMs, 7000);
});

Deno.test("the fields that servers keep for themselves are dropped before anyone reads them", async () => {
  const metadata = { namespace: "shop", name: "a", resourceVersion: "1", managedFields: [{}] };
  await using server = new ScriptedApiServer([() => list(9, [{ metadata }]), () => silent()]);
  await using test = new TestReflector(server.client, resource);
  await test.reflector.whenSynced;
  assert.equal("managedFields" in test.reflector.objects.get("shop/a")!.metadata, false);
});
