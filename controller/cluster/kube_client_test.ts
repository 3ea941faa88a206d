import assert from "node:assert/strict";
import { collectGarbage } from "../../tests/support/collect_garbage.ts";
import { KubeError } from "./kube_error.ts";
import type { Method } from "./request_kind.ts";
import { ended, event, object, ScriptedApiServer, silent, status } from "./scripted_api_server.ts";

const path = "/api/v1/namespaces/shop/services";
const page = "<html>\n  <h1>Bad Gateway</h1>\n</html>";

const answers: readonly [what: string, Response, expected: Partial<KubeError>][] = [
  ["a Status", status(409, "Conflict"), {
    status: 409,
    reason: "Conflict",
    retryAfterMs: undefined,
    message: `LIST ${path}: 409 the message of Conflict`,
  }],
  ["too many requests", status(429, "TooManyRequests", { "retry-after": "2" }), {
    status: 429,
    reason: "TooManyRequests",
    retryAfterMs: 2000,
  }],
  ["a path that is not served", new Response("404 page not found\n", { status: 404 }), {
    status: 404,
    reason: "InvalidResponse",
    message: `LIST ${path}: 404 404 page not found`,
  }],
  ["a proxy in between", new Response(page, { status: 502 }), {
    status: 502,
    reason: "InvalidResponse",
    message: `LIST ${path}: 502 <html> <h1>Bad Gateway</h1> </html>`,
  }],
  ["a success that is not JSON", new Response(page), {
    status: 200,
    reason: "InvalidResponse",
    message: `GET ${path}: JSON is expected, found: <html> <h1>Bad Gateway</h1> </html>`,
  }],
];

for (const [what, answer, expected] of answers) {
  Deno.test(`the error says what ${what} said`, async () => {
    await using server = new ScriptedApiServer([() => answer]);
    assertIncludes(await failure(server.client.request("GET", path)), expected);
  });
}

Deno.test("a server that does not answer is told from one that is not there", async () => {
  const late = Promise.withResolvers<Response>();
  const server = new ScriptedApiServer([() => late.promise]);
  assertIncludes(await failure(server.client.request("GET", path, { timeoutMs: 30 })), {
    status: 0,
    reason: "Timeout",
    message: `GET ${path}: the API server did not answer within 30 ms`,
  });
  late.resolve(Response.json({}));
  await server.stop();
  const gone = await failure(server.client.request("GET", path));
  assertIncludes(gone, { status: 0, reason: "Unreachable" });
  assert.match(gone.message, /Connection refused/);
  server.client.close();
});

Deno.test("the timeout is for the whole answer, not for its head", async () => {
  await using server = new ScriptedApiServer([() => silent({})]);
  const failing = failure(server.client.request("GET", path, { timeoutMs: 300 }));
  // The half that is there must not be forgotten, and its deadline with it.
  await collectGarbage();
  const error = await failing;
  assertIncludes(error, { status: 0, reason: "Timeout" });
});

Deno.test("who aborts a request gets the signal's reason", async () => {
  await using server = new ScriptedApiServer([() => silent({})]);
  const abort = new AbortController();
  const request = server.client.request("GET", path, { signal: abort.signal });
  await server.request(0);
  abort.abort(new Error("enough"));
  await assert.rejects(request, { message: "enough" });
  const late = server.client.request("GET", path, { signal: abort.signal });
  await assert.rejects(late, { message: "enough" });
  assert.equal(server.received.length, 1, "an aborted signal sends nothing");
});

Deno.test("a refused token is read anew and tried once more", async () => {
  const unauthorized = () => status(401, "Unauthorized");
  await using server = new ScriptedApiServer([
    unauthorized,
    () => Response.json({ fine: true }),
    unauthorized,
  ]);
  assert.deepEqual(await server.client.request("GET", path), { fine: true });
  assert.deepEqual(tokens(server), ["Bearer 0", "Bearer 1"]);
  assertIncludes(await failure(server.client.request("GET", path)), { status: 401 });
  assert.equal(server.received.length, 4, "not tried for ever");
});

const requests: readonly [Method, path: string, seen: string][] = [
  ["GET", "/api/v1/services", "list services"],
  ["GET", "/api/v1/namespaces/shop/services/api", "get services"],
  ["POST", "/apis/events.k8s.io/v1/namespaces/shop/events", "create events"],
  ["PUT", "/apis/x402.io/v1alpha1/namespaces/shop/x402routes/a/status", "update x402routes/status"],
  ["PATCH", "/apis/networking.k8s.io/v1/namespaces/shop/ingresses/a", "patch ingresses"],
  ["DELETE", "/api/v1/namespaces/shop", "delete namespaces"],
];

Deno.test("every request is observed in the words of RBAC", async () => {
  const observed: string[] = [];
  const answers = [() => Response.json({})];
  await using server = new ScriptedApiServer(answers, ({ verb, resource, status }) => {
    observed.push(`${verb} ${resource} ${status}`);
  });
  for (const [method, path] of requests) {
    await server.client.request(method, path, method === "GET" ? {} : { body: {} });
  }
  assert.deepEqual(observed, requests.map(([, , seen]) => `${seen} 200`));
});

Deno.test("a request carries its query, body type and who is asking", async () => {
  await using server = new ScriptedApiServer([() => Response.json({})]);
  await server.client.request("PATCH", path, {
    query: { fieldManager: "x402 & co", force: true },
    body: [],
    contentType: "application/json-patch+json",
  });
  const { query, headers } = await server.request(0);
  assert.equal(query.get("fieldManager"), "x402 & co");
  assert.equal(query.get("force"), "true");
  assert.equal(headers.get("content-type"), "application/json-patch+json");
  assert.equal(headers.get("user-agent"), "test/1");
});

Deno.test("a watch that is aborted closes its connection", async () => {
  const closed = Promise.withResolvers<void>();
  await using server = new ScriptedApiServer([() =>
    new Response(
      new ReadableStream({
        start: (controller) => controller.enqueue(new TextEncoder().encode("{")),
        cancel: () => closed.resolve(),
      }),
    )]);
  const abort = new AbortController();
  const events = await server.client.watch(path, {}, abort.signal);
  const next = events.next();
  abort.abort();
  assert.equal((await next).done, true);
  await closed.promise;
});

Deno.test("a watch is opened, or an error is thrown at once", async () => {
  await using server = new ScriptedApiServer([
    () => ended(event("ADDED", object("a", 5))),
    () => status(410, "Expired"),
  ]);
  const { signal } = new AbortController();
  const events = await server.client.watch(path, { resourceVersion: "4" }, signal);
  assert.deepEqual((await Array.fromAsync(events)).map(({ type }) => type), ["ADDED"]);
  assert.equal((await server.request(0)).query.get("watch"), "true");
  const error = await failure(server.client.watch(path, {}, signal));
  assertIncludes(error, { status: 410, message: `WATCH ${path}: 410 the message of Expired` });
});

function tokens(server: ScriptedApiServer): (string | null)[] {
  return server.received.map(({ headers }) => headers.get("authorization"));
}

async function failure(request: Promise<unknown>): Promise<KubeError> {
  const error = await request.then(() => undefined, (error) => error);
  assert.ok(error instanceof KubeError, `${error}`);
  return error;
}

function assertIncludes(error: KubeError, expected: Partial<KubeError>): void {
  for (const [field, value] of Object.entries(expected)) {
    assert.equal(error[field as keyof KubeError], value, field);
  }
}
