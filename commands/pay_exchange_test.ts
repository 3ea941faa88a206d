import assert from "node:assert/strict";
import { exchange } from "./pay_exchange.ts";

const payment: [name: string, value: string] = ["X-PAYMENT", "e30="];

type Answer = (connection: Deno.TcpConn) => Promise<unknown>;

/** A server for one request: it speaks HTTP by hand, to break it. */
async function withServer(answer: Answer, test: (url: string) => Promise<void>): Promise<void> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    using connection = await listener.accept();
    await connection.read(new Uint8Array(65536));
    await answer(connection);
  })();
  await test(`http://127.0.0.1:${listener.addr.port}/`);
  await serving;
}

async function write(connection: Deno.TcpConn, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

/** Ends when the client hangs up. */
async function stayOpen(connection: Deno.TcpConn): Promise<void> {
  while (await connection.read(new Uint8Array(1024)).catch(() => null) !== null);
}

/** Writes as long as the client reads, up to 256 MiB, and checks that it reads far less. */
async function flood(connection: Deno.TcpConn): Promise<void> {
  await write(connection, "HTTP/1.1 402 Payment Required\r\ntransfer-encoding: chunked\r\n\r\n");
  const chunk = `10000\r\n${" ".repeat(0x10000)}\r\n`;
  let size = 0;
  try {
    for (; size < 2 ** 28; size += 0x10000) await write(connection, chunk);
  } catch {
    // The client has had enough.
  }
  assert.ok(size < 2 ** 26, `the client read ${size} bytes`);
}

const begun = "HTTP/1.1 402 Payment Required\r\ncontent-length: 100\r\n\r\n{";

const hostile402s: [fault: string, answer: Answer, says: RegExp][] = [
  ["never ends", async (connection) => {
    await write(connection, begun);
    await stayOpen(connection);
  }, /: not complete after 0\.05 s/],
  ["breaks off", (connection) => write(connection, begun), /: error reading a body/],
  ["is endless and fast", flood, /: the 402 is longer than 1 MiB/],
];

for (const [fault, answer, says] of hostile402s) {
  Deno.test(`a 402 that ${fault} is one sentence`, () =>
    withServer(answer, async (url) => {
      await assert.rejects(exchange({ url }, undefined, 50), { name: "PayError", message: says });
    }));

  Deno.test(`a 402 after a payment that ${fault} is one sentence`, () =>
    withServer(answer, async (url) => {
      await assert.rejects(exchange({ url }, payment, 50), { name: "PayError", message: says });
    }));
}

Deno.test("a head that never comes is one sentence", () =>
  withServer(stayOpen, async (url) => {
    const message = `No answer of ${url} can be read: not complete after 0.05 s.`;
    await assert.rejects(exchange({ url }, undefined, 50), { name: "PayError", message });
  }));

Deno.test("what is no 402, and paid work, may take longer than a 402", async () => {
  const head = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n";
  const cases = [
    { early: head, late: "goods" },
    { paid: payment, early: "", late: head + "goods" },
  ];
  for (const { paid, early, late } of cases) {
    const limitIsOver = Promise.withResolvers<void>();
    const answer: Answer = async (connection) => {
      await write(connection, early);
      await limitIsOver.promise;
      await write(connection, late);
    };
    await withServer(answer, async (url) => {
      const reply = exchange({ url }, paid, 50);
      // Set later and for longer: when it goes off, a timer of the exchange has gone off before.
      setTimeout(limitIsOver.resolve, 60);
      assert.equal(await (await reply).text(), "goods");
    });
  }
});
