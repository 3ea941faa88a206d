import assert from "node:assert/strict";
import { rawBackend } from "../../gateway/upstream/raw_sockets.ts";
import { startClosingServer } from "../support/closing_server.ts";
import { Lane } from "./lane.ts";
import { pause } from "./pause.ts";

const portOf = (url: string) => Number(new URL(url).port);

/** What a client sees of these bytes, after which the connection ends. */
async function seen(reply: string) {
  await using backend = rawBackend(reply);
  using lane = new Lane(portOf(backend.url));
  return (await lane.send({ host: "a.test", path: "/" })).outcome;
}

Deno.test("a lane tells replies that are whole from those that are not", async () => {
  const ok = "HTTP/1.1 200 OK\r\n";
  assert.equal(await seen(`${ok}content-length: 2\r\n\r\nhi`), "200");
  assert.equal(await seen(`${ok}transfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n`), "200");
  assert.equal(await seen(`${ok}\r\nuntil the end`), "200");
  assert.equal(await seen(`${ok}content-length: 3\r\n\r\nhi`), "cut");
  assert.equal(await seen(`${ok}transfer-encoding: chunked\r\n\r\n2\r\nhi\r\n`), "cut");
  assert.equal(await seen(`${ok}transfer-encoding: chunked\r\n\r\nnonsense\r\n`), "cut");
  assert.equal(await seen(ok), "broken");
  assert.equal(await seen(""), "broken");
  assert.equal(await seen("SSH-2.0-x\r\n\r\n"), "broken");
});

Deno.test("a lane shows the error of a failure", async () => {
  const body = '{"error":"upstream_timeout"}';
  const head = `HTTP/1.1 504 X\r\ncontent-type: application/json\r\ncontent-length: ${body.length}`;
  assert.equal(await seen(`${head}\r\n\r\n${body}`), "504 upstream_timeout");
});

Deno.test("a lane repeats only what is idempotent, and only on a connection that was used", async () => {
  await using server = startClosingServer(() => "once", "at-second-request");
  using lane = new Lane(portOf(server.url));
  const send = async (method: string) => {
    const { outcome, retried } = await lane.send({ method, host: "a.test", path: "/" });
    return [outcome, retried];
  };
  assert.deepEqual(await send("GET"), ["200", false]);
  assert.deepEqual(await send("GET"), ["200", true]);
  assert.deepEqual(await send("POST"), ["broken", false]);
  assert.equal(server.requests.length, 4);
});

Deno.test("a lane does not use a connection that the server has closed in the meantime", async () => {
  await using server = startClosingServer(() => "once", "after-reply");
  using lane = new Lane(portOf(server.url));
  const post = { method: "POST", host: "a.test", path: "/" };
  assert.equal((await lane.send(post)).outcome, "200");
  while (!lane.isClosed) await pause(1);
  assert.equal((await lane.send(post)).outcome, "200");
});
