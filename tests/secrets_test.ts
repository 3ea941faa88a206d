/**
 * A gateway at its most talkative, and everything that has a secret: what it prints, what it tells
 * those who watch it and what it answers hold none of them, and replies no address of what is behind.
 */
import assert from "node:assert/strict";
import { RawClient } from "../gateway/front/raw_client.ts";
import { postgresServerTest } from "./rig/test_postgres.ts";
import { type PaymentToSign, signPayment, usdcRequirements } from "./rig/sign_payment.ts";
import { LeakWatch } from "./support/leak_watch.ts";
import { withLedgerFile } from "./support/ledger_file.ts";
import { type Answer, success } from "./support/scripted_facilitator.ts";
import { type SecretShop, startSecretShop, wallet } from "./support/secret_shop.ts";

type Header = readonly [name: string, value: string];

/** Everybody who has to do with the gateway, and what they send it. */
class Crowd {
  constructor(private readonly watch: LeakWatch, private readonly shop: SecretShop) {}

  /** The bytes as they are, on a connection of their own; returns all that came back. */
  async raw(text: string): Promise<string> {
    using client = await RawClient.connect(Number(new URL(this.shop.gateway.url).port));
    await client.send(text);
    const reply = await client.rest();
    this.watch.reply(reply);
    return reply;
  }

  /** A request with all that clients have of secrets; returns the status. */
  async get(path: string, payment?: Header, ...more: Header[]): Promise<number> {
    const { watch } = this;
    const headers: Header[] = [
      ...[["host", "shop.test"], ["connection", "close"]] as const,
      ["authorization", `Bearer ${watch.secret("client")}`],
      ["cookie", `session=${watch.secret("cookie")}`],
      ["x-api-key", watch.secret("api-key")],
      ...(payment === undefined ? [] : [payment]),
      ...more,
    ];
    const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    const query = `?token=${watch.secret("query")}`;
    const reply = await this.raw(`GET ${path}${query} HTTP/1.1\r\n${lines}\r\n`);
    return Number(/^HTTP\/1\.1 (\d+)/.exec(reply)?.[1]);
  }

  /** The status of the same payment once it is on record that its reply has arrived. */
  async again(path: string, payment: Header): Promise<number> {
    for (;;) {
      const status = await this.get(path, payment);
      if (status !== 409) return status;
    }
  }

  async sign(changes: Partial<PaymentToSign> = {}): Promise<Header> {
    const version = changes.version ?? 2;
    const requirements = usdcRequirements(version, "1000", wallet);
    const { header, message } = await signPayment({ version, buyer: 1, requirements, ...changes });
    const { signature } = message.payload as { signature: string };
    this.watch.keep("a signature", signature.slice(2));
    this.watch.keep("a payment", header[1]);
    return header;
  }

  /** Garbage in the place of a payment. */
  garbage(value: unknown): Header {
    const text = typeof value === "string" ? value : btoa(JSON.stringify(value));
    this.watch.keep("a malformed payment", text);
    return ["payment-signature", text];
  }
}

async function sell(crowd: Crowd): Promise<void> {
  assert.equal(await crowd.get("/free"), 200);
  assert.equal(await crowd.get("/paid/x"), 402);
  const payment = await crowd.sign();
  assert.equal(await crowd.get("/paid/x", payment), 200);
  assert.equal(await crowd.again("/paid/x", payment), 402);
  assert.equal(await crowd.get("/paid/x", await crowd.sign({ version: 1 })), 200);
  assert.equal(await crowd.get("/before/x", await crowd.sign({ buyer: 3 })), 200);
  const extensions = { "payment-identifier": { info: { id: `pay_${"a".repeat(28)}` } } };
  const named = await crowd.sign({ message: { extensions } });
  assert.equal(await crowd.get("/paid/named", named), 200);
  assert.equal(await crowd.again("/paid/named", named), 200);
  assert.equal(await crowd.get("/paid/other", named), 409);
}

async function refuse(crowd: Crowd, watch: LeakWatch): Promise<void> {
  const [, valid] = await crowd.sign();
  const message = JSON.parse(atob(valid));
  const { payload } = message;
  const malformed = [
    ...[
      watch.secret("not-base64!"),
      btoa(watch.secret("no json")),
      btoa("\xff" + watch.secret("x")),
    ],
    ...[[watch.secret("array")], { [watch.secret("key")]: 1 }, "x".repeat(9_000)],
    { ...message, payload: { ...payload, [watch.secret("unknown-key")]: 1 } },
    { ...message, payload: { ...payload, signature: watch.secret("signature") } },
    { ...message, accepted: { ...message.accepted, amount: { [watch.secret("amount")]: 1 } } },
    { ...message, extensions: { "payment-identifier": { info: { id: watch.secret("i d") } } } },
    { x402Version: watch.secret("version") },
  ];
  for (const value of malformed) {
    assert.match(`${await crowd.get("/paid/x", crowd.garbage(value))}`, /^40[02]$/);
  }
  const refused: Partial<PaymentToSign>[] = [
    { authorization: { value: "1" } },
    { authorization: { validBefore: "1" } },
    { domain: { chainId: 1 } },
    { message: { resource: { url: `http://${watch.secret("user")}@shop.test/elsewhere` } } },
  ];
  for (const changes of refused) {
    assert.match(`${await crowd.get("/paid/x", await crowd.sign(changes))}`, /^40[02]$|^200$/);
  }
}

/** What no parser should take, with secrets where they are looked at. */
async function misspell(crowd: Crowd, watch: LeakWatch): Promise<void> {
  const host = "host: shop.test\r\nconnection: close\r\n";
  const s = (name: string) => watch.secret(name);
  const heads = [
    `GET /\x00${s("nul")} HTTP/1.1\r\n${host}\r\n`,
    `${s("method")} / HTTP/1.1 ${s("version")}\r\n${host}\r\n`,
    `${s("one-word")}\r\n${host}\r\n`,
    `G(T ${s("target")} HTTP/1.1\r\n${host}\r\n`,
    `GET / HTTP/1.1\r\n${host}${s("no-colon")}\r\n\r\n`,
    `GET / HTTP/1.1\r\n${host}authorization : ${s("space-before-colon")}\r\n\r\n`,
    `GET / HTTP/1.1\r\n${host}x: y\r\n ${s("folded")}\r\n\r\n`,
    `GET / HTTP/1.1\r\n${host}x: ${s("bare-lf")}\n\r\n\r\n`,
    `GET / HTTP/1.1\r\nconnection: close\r\nhost: ${s("user")}@shop.test\r\n\r\n`,
    `GET http://${s("user")}:${s("password")}@shop.test/free HTTP/1.1\r\n${host}\r\n`,
    `GET /free#${s("fragment")} HTTP/1.1\r\n${host}\r\n`,
    `GET /free%zz?${s("query")} HTTP/1.1\r\n${host}\r\n`,
    `GET /paid/x;a=b?${s("query")} HTTP/1.1\r\n${host}x-http-method-override: ${
      s("method")
    }\r\n\r\n`,
    `${s("METHOD")} /paid/x HTTP/1.1\r\n${host}\r\n`,
    `POST /free HTTP/1.1\r\n${host}content-length: ${s("length")}\r\n\r\n`,
    `POST /free HTTP/1.1\r\n${host}transfer-encoding: ${s("coding")}\r\n\r\n`,
    `POST /free HTTP/1.1\r\n${host}transfer-encoding: chunked\r\n\r\n${s("chunk")}\r\n`,
    `POST /paid/x HTTP/1.1\r\n${host}expect: ${s("expect")}\r\ncontent-length: 0\r\n\r\n`,
    `GET /paid/x HTTP/1.1\r\n${host}x: ${s("long")}${"y".repeat(70_000)}\r\n\r\n`,
    `GET /paid/socket HTTP/1.1\r\n${host}upgrade: websocket\r\nsec-websocket-key: ${
      s("k")
    }\r\n\r\n`,
  ];
  for (const head of heads) await crowd.raw(head);
}

async function upgrade(crowd: Crowd, watch: LeakWatch): Promise<void> {
  const handshake: Header[] = [
    ["upgrade", "websocket"],
    ["sec-websocket-version", "13"],
    ["sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="],
    ["sec-websocket-protocol", watch.secret("protocol")],
    ["connection", "upgrade"],
  ];
  assert.equal(await crowd.get("/paid/socket", undefined, ...handshake), 402);
  assert.equal(await crowd.get("/paid/socket", await crowd.sign(), ...handshake), 101);
  // The backend does not know what a WebSocket is.
  assert.equal(await crowd.get("/paid/x", await crowd.sign(), ...handshake), 200);
}

/** Of the backend, whose replies cannot be used, or do not come. */
async function breakBackend(crowd: Crowd): Promise<void> {
  for (const path of ["garbage", "headers", "length", "coding", "reset", "hang", "chunk"]) {
    const status = await crowd.get(`/paid/${path}`, await crowd.sign());
    assert.ok(status === 502 || status === 504 || path === "chunk", `${path}: ${status}`);
  }
  assert.equal(await crowd.get("/dead/paid", await crowd.sign()), 502);
  assert.equal(await crowd.get("/dead/free"), 502);
}

async function breakFacilitators(
  crowd: Crowd,
  watch: LeakWatch,
  { facilitator, cdp, gateway }: SecretShop,
): Promise<void> {
  const words = `see http://10.1.2.3:8545/${watch.secret("path")}?key=${watch.secret("words")}`;
  const html = `HTTP/1.1 200 OK\r\ncontent-length: 60\r\n\r\n<html>${watch.secret("html")}${
    "y".repeat(60)
  }`;
  const answers: Answer[] = [
    ...["close-after-request", "hang"] as const,
    { raw: html },
    { json: { isValid: false, invalidReason: words, success: false, errorReason: words } },
    { json: { error: words }, status: 500 },
    { raw: `HTTP/1.1 302 Found\r\nlocation: ${words}\r\ncontent-length: 0\r\n\r\n` },
  ];
  for (const answer of answers) {
    for (const endpoint of ["/verify", "/settle"] as const) {
      facilitator.answers[endpoint] = answer;
      const status = await crowd.get("/paid/x", await crowd.sign());
      assert.ok(status === 402 || status >= 500, `${JSON.stringify(answer)}: ${status}`);
      facilitator.answers[endpoint] = success[endpoint];
    }
  }
  facilitator.answers["/settle"] = "close-after-request";
  await crowd.get("/before/x", await crowd.sign());
  facilitator.answers["/settle"] = success["/settle"];
  // The chain is asked, and has nothing but a secret to say.
  await gateway.logged("settlement outcome still unknown");

  assert.equal(await crowd.get("/cdp", await crowd.sign()), 200);
  cdp.answers["/verify"] = "close-after-request";
  await crowd.get("/cdp", await crowd.sign());
  for (const { headers } of cdp.requests) {
    watch.keep("a token", headers.get("authorization")!.replace(/^Bearer /, ""));
  }
  assert.ok(cdp.requests.length >= 3);
  const wanted = `Bearer ${watch.secret("facilitator")}`;
  assert.ok(facilitator.requests.every(({ headers }) => headers.get("authorization") === wanted));
}

/** All of it, then everything that was said is looked through. */
async function tempt(
  ledger: string,
  breakLedger: (crowd: Crowd) => Promise<void> = () => Promise.resolve(),
  watch = new LeakWatch(),
): Promise<void> {
  await using shop = await startSecretShop(watch, ledger);
  const { gateway } = shop;
  const crowd = new Crowd(watch, shop);
  await sell(crowd);
  await refuse(crowd, watch);
  await misspell(crowd, watch);
  await upgrade(crowd, watch);
  await breakBackend(crowd);
  await breakFacilitators(crowd, watch, shop);
  await breakLedger(crowd);
  for (let status = 402; status === 402;) status = await crowd.get("/paid/x");
  for (
    const url of [`${gateway.metricsUrl}/metrics`, `${gateway.metricsUrl}/${watch.secret("x")}`]
  ) {
    watch.output(await (await fetch(url)).text());
  }
  for (const path of ["/readyz", "/healthz", `/${watch.secret("x")}`]) {
    watch.output(await (await fetch(gateway.probeUrl + path)).text());
  }
  await gateway.stop();
  const log = gateway.log();
  watch.output(gateway.output());
  // It has been as talkative as it can be.
  for (const msg of ["request refused", "request failed", "request", "payment settled"]) {
    assert.ok(log.some((line) => line.msg === msg), msg);
  }
  watch.check();
}

Deno.test("secrets stay where they are: a gateway on SQLite", () =>
  withLedgerFile((path) => tempt(path)));

postgresServerTest(
  "secrets stay where they are: a gateway on PostgreSQL, which breaks",
  async (server) => {
    const watch = new LeakWatch();
    const url = new URL(await server.createDatabase());
    url.password = watch.secret("database");
    watch.keepFromClients("the database", `:${url.port}`);
    await tempt(url.href, async (crowd) => {
      await server.kill();
      assert.equal(await crowd.get("/paid/x", await crowd.sign()), 503);
      await server.restart();
    }, watch);
  },
);
