import assert from "node:assert/strict";
import { startFacilitatorStub } from "./facilitator_stub.ts";
import { type PayOptions, runPay } from "./pay_request.ts";
import { printable } from "./pay_terminal.ts";

const usdc = "0x036CbD53842c5426634e7929541eC2318f3dCF7e";
const seller = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";
const devAccount3 = "0x90F79bf6EB2c4f870365E785982E1f101E93b906";

const terms = {
  scheme: "exact",
  network: "eip155:84532",
  asset: usdc,
  payTo: seller,
  maxTimeoutSeconds: 60,
  extra: { name: "USDC", version: "2" },
};

interface Shop extends AsyncDisposable {
  readonly url: string;
  /** Names of the payment headers received, in order; "" for a request without one. */
  readonly payments: string[];
  /** Bodies received. */
  readonly bodies: string[];
}

interface ShopOptions {
  readonly terms?: Record<string, unknown>;
  readonly amount?: string;
  /** Answer to a request with a payment; by default the goods, after the stub has settled. */
  readonly paid?: () => Response;
}

/** A server that asks for payment in both versions and settles through the stub. */
function startShop({ terms: other, amount = "1000", paid }: ShopOptions = {}): Shop {
  const stub = startFacilitatorStub({ hostname: "127.0.0.1", port: 0 });
  const payments: string[] = [];
  const bodies: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    bodies.push(await request.text());
    const v2 = request.headers.get("payment-signature");
    const payment = v2 ?? request.headers.get("x-payment");
    payments.push(payment === null ? "" : v2 === null ? "x-payment" : "payment-signature");
    const { pathname } = new URL(request.url);
    if (pathname === "/free") return new Response("free goods");
    if (pathname === "/moved") return Response.redirect("http://other.example/", 302);
    if (payment === null) return challenge({ ...terms, ...other }, amount);
    return paid?.() ?? await settle(payment, v2 === null, stub.addr.port);
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}/`,
    payments,
    bodies,
    [Symbol.asyncDispose]: async () => {
      await Promise.all([server.shutdown(), stub.shutdown()]);
    },
  };
}

function challenge(terms: Record<string, unknown>, amount: string): Response {
  const resource = { url: "http://shop.example/", description: "goods\u001b[2J" };
  const v2 = { x402Version: 2, resource, accepts: [{ ...terms, amount }] };
  const network = terms.network === "eip155:84532" ? "base-sepolia" : terms.network;
  const v1 = { ...terms, network, maxAmountRequired: amount, resource: resource.url };
  return Response.json({ x402Version: 1, accepts: [{ ...v1, description: "", mimeType: "" }] }, {
    status: 402,
    headers: { "payment-required": btoa(JSON.stringify(v2)) },
  });
}

async function settle(payment: string, isV1: boolean, port: number): Promise<Response> {
  const paymentPayload = JSON.parse(atob(payment));
  const network = isV1 ? paymentPayload.network : paymentPayload.accepted.network;
  const body = JSON.stringify({ paymentPayload, paymentRequirements: { network } });
  const settled = await fetch(`http://127.0.0.1:${port}/settle`, { method: "POST", body });
  const receipt = btoa(await settled.text());
  const header = isV1 ? "x-payment-response" : "payment-response";
  return new Response("goods", { headers: { [header]: receipt } });
}

/** Runs `pay` and collects what it prints. */
async function pay(options: Partial<PayOptions>, ask?: (question: string) => string) {
  const lines: string[] = [];
  let body = "";
  const io = {
    say: (line: string) => void lines.push(line),
    write: (bytes: Uint8Array) => void (body += new TextDecoder().decode(bytes)),
    ...(ask === undefined ? {} : { ask }),
  };
  const defaults = { url: "", devAccount: 3, protocol: "auto" as const };
  const code = await runPay({ ...defaults, ...options }, io);
  return { code, body, output: lines.join("\n") };
}

for (
  const { protocol, version, network, header } of [
    { protocol: "auto", version: 2, network: "eip155:84532", header: "payment-signature" },
    { protocol: "2", version: 2, network: "eip155:84532", header: "payment-signature" },
    { protocol: "1", version: 1, network: "base-sepolia", header: "x-payment" },
  ] as const
) {
  Deno.test(`pay with protocol ${protocol} prints offer, body and receipt`, async () => {
    await using shop = startShop();
    const { code, body, output } = await pay({ url: shop.url, protocol, maxAmount: "0.001" });
    assert.equal(code, 0, output);
    assert.equal(body, "goods");
    assert.deepEqual(shop.payments, ["", header]);
    assert.match(output, new RegExp(`^Offer \\(x402 version ${version}\\): 0\\.001 USDC$`, "m"));
    for (const value of [network, usdc, seller]) assert.ok(output.includes(value), value);
    assert.match(output, /^Receipt: paid$/m);
    assert.match(output, /^ {2}transaction: 0x[0-9a-f]{64}$/m);
    assert.match(output, new RegExp(`^ {2}payer: ${devAccount3}$`, "m"));
    // 65 bytes or more in a row would be a signature, or two keys.
    assert.doesNotMatch(output, /[0-9a-fA-F]{65}/);
  });
}

Deno.test("pay signs nothing above the limit", async () => {
  await using shop = startShop({ amount: "1001" });
  // With a key that cannot be read, reaching the wallet at all would be exit code 2.
  const wallet = { privateKeyFile: "/nonexistent" };
  const { code, output } = await pay({ url: shop.url, ...wallet, maxAmount: "0.001" });
  assert.equal(code, 1);
  assert.match(output, /Nothing was signed: 0\.001001 USDC is above the limit of 0\.001 USDC\./);
  assert.deepEqual(shop.payments, [""]);
});

Deno.test("pay signs nothing for a network, token, scheme or validity that it does not accept", async () => {
  const cases = [
    [{ network: "eip155:999999999" }, /the token 0x036C\w+ is not known on eip155:999999999/],
    [{ network: "solana" }, /the network solana is not known/],
    [{ asset: seller }, new RegExp(`the token ${seller} is not known on eip155:84532`)],
    [{ scheme: "upto" }, /the scheme upto is not supported/],
    ...[1e9, -5, 0, 1.5, 3601].map((seconds) =>
      [
        { maxTimeoutSeconds: seconds },
        new RegExp(`is ${seconds}, it must be a whole number of seconds from 1 to 3600`),
      ] as const
    ),
    [{ extra: {} }, /EIP-712 domain parameters/],
  ] as const;
  for (const [change, message] of cases) {
    await using shop = startShop({ terms: change });
    const { code, output } = await pay({ url: shop.url, maxAmount: "1" });
    assert.equal(code, 1);
    assert.match(output, /Nothing was signed: /);
    assert.match(output, message);
    assert.deepEqual(shop.payments, [""]);
  }
});

Deno.test("of a 402 with thousands of offers, ten are shown, and the one that is chosen", async () => {
  const [none, good] = ["nope", "base-sepolia"].map((network) => ({
    ...terms,
    network,
    maxAmountRequired: "1000",
  }));
  const nones = Array.from({ length: 3000 }, () => none);
  for (const [accepts, shown] of [[nones, 10], [[...nones, good], 11]] as const) {
    const server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      () => Response.json({ x402Version: 1, accepts }, { status: 402 }),
    );
    const url = `http://127.0.0.1:${server.addr.port}`;
    const { output } = await pay({ url, maxAmount: "1" });
    assert.equal(output.match(/^Offer/gm)?.length, shown);
    assert.match(output, /^and 2990 more that cannot be paid$/m);
    assert.ok(output.length < 3000, `${output.length} characters`);
    await server.shutdown();
  }
});

Deno.test("pay asks a person for the limit and respects the answer", async () => {
  for (const [answer, code] of [["0.001", 0], ["0.0009", 1], ["", 1], ["lots", 1]] as const) {
    await using shop = startShop();
    const questions: string[] = [];
    const result = await pay({ url: shop.url }, (question) => (questions.push(question), answer));
    assert.equal(result.code, code, answer);
    assert.deepEqual(questions, ["Pay at most how many USDC?"]);
    assert.equal(shop.payments.length, code === 0 ? 2 : 1);
  }
});

Deno.test("pay used wrongly is exit code 2 before anything is sent", async () => {
  await using shop = startShop();
  const { url } = shop;
  const noWallet = await runPay({ url, protocol: "auto", maxAmount: "1" }, {
    say: (line) => assert.match(line, /No wallet is given; use --private-key-file/),
    write: () => {},
  });
  assert.equal(noWallet, 2);
  const noLimit = await pay({ url });
  assert.equal(noLimit.code, 2);
  assert.match(noLimit.output, /No price limit is given; use --max-amount/);
  for (const method of ["GET", "HEAD"]) {
    const body = await pay({ url, maxAmount: "1", method, data: "x" });
    const message = `error: --data cannot be sent with --method ${method}; leave out one of them.`;
    assert.deepEqual(body, { code: 2, body: "", output: message });
  }
  assert.deepEqual(shop.payments, []);
});

Deno.test("pay repeats the whole request with the payment", async () => {
  await using shop = startShop();
  const { code } = await pay({ url: shop.url, data: "question", maxAmount: "1" });
  assert.equal(code, 0);
  assert.deepEqual(shop.bodies, ["question", "question"]);
});

Deno.test("pay passes on what costs nothing", async () => {
  await using shop = startShop();
  const { code, body, output } = await pay({ url: `${shop.url}free`, maxAmount: "1" });
  assert.deepEqual([code, body], [0, "free goods"]);
  assert.match(output, /No payment is asked for\./);
});

Deno.test("a redirect instead of a price is told and fails", async () => {
  await using shop = startShop();
  const { code, output } = await pay({ url: `${shop.url}moved`, maxAmount: "1" });
  assert.equal(code, 1);
  assert.equal(
    output,
    "Status: 302 Found\nLocation: http://other.example/ (redirects are not followed)",
  );
});

Deno.test("a receipt that says the payment failed is a failure, with its reason as text", async () => {
  const cases = [
    [{ success: false, errorReason: "no_funds" }, 1, /^Receipt: failed, no_funds$/m],
    [
      { success: false, errorReason: { a: 1 }, payer: [1] },
      1,
      /failed, \{"a":1\}\n {2}payer: \[1\]$/,
    ],
    [{ success: false }, 1, /^Receipt: failed, no reason$/m],
    [{ success: true }, 0, /^Receipt: paid$/m],
    [null, 0, /^Receipt: the server sent one that cannot be read\.$/m],
  ] as const;
  for (const [receipt, expected, message] of cases) {
    const headers = { "payment-response": btoa(JSON.stringify(receipt)) };
    await using shop = startShop({ paid: () => new Response("goods", { headers }) });
    const { code, output } = await pay({ url: shop.url, maxAmount: "1" });
    assert.match(output, message);
    assert.equal(code, expected, output);
  }
});

Deno.test("pay reports a payment that the server refuses, or a paid request that fails", async () => {
  const refusal = { x402Version: 1, error: "nonce already used", accepts: [] };
  const cases = [
    [() => Response.json(refusal, { status: 402 }), /Refused: nonce already used/],
    [() => new Response("no", { status: 402 }), /Refused: the server gives no reason/],
    [() => new Response("down", { status: 503 }), /Status: 503[^]*Receipt: none/],
  ] as const;
  for (const [paid, message] of cases) {
    await using shop = startShop({ paid });
    const { code, output } = await pay({ url: shop.url, maxAmount: "1" });
    assert.equal(code, 1);
    assert.match(output, message);
  }
});

Deno.test("pay does not take a payment along to another server by redirect", async () => {
  await using thief = startShop();
  await using shop = startShop({ paid: () => Response.redirect(thief.url, 307) });
  const { code } = await pay({ url: shop.url, maxAmount: "1" });
  assert.deepEqual([code, thief.payments], [1, []]);
});

Deno.test("lines for the terminal cannot carry control sequences of a server", () => {
  assert.equal(printable("goods\u001b[2J\u202e\r\n"), "goods [2J   ");
});
