import { Command, Option } from "commander";
import { listenAddress } from "./flag_values.ts";

/** The one line that nobody who runs or calls the stub can miss. */
const warning = "accepts everything, moves no money";

const headers = {
  "content-type": "application/json",
  "x-facilitator-stub": warning,
};

/** Version 1 name and CAIP-2 id of the networks that are always listed; the last is for all others. */
const listedNetworks = ["base", "eip155:8453", "base-sepolia", "eip155:84532", "eip155:*"];

/**
 * Starts a facilitator that accepts every payment and moves no money (endpoints of
 * x402-specification-v2.md, section 7). Every answer has `stub: true` and a header that says so.
 * `GET /supported?network=NAME` also lists that network; `GET /healthz` answers when it is up.
 */
export function startFacilitatorStub(
  { hostname, port }: { readonly hostname: string; readonly port: number },
): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname, port, onListen: () => {} }, async (request) => {
    const { pathname, searchParams } = new URL(request.url);
    switch (`${request.method} ${pathname}`) {
      case "POST /verify":
        return await answerPayment(request, (payer) => ({ isValid: true, payer }));
      case "POST /settle":
        return await answerPayment(request, settlement);
      case "GET /supported":
        return reply(supported(searchParams.getAll("network")));
      case "GET /healthz":
        return reply({ status: "ok" });
    }
    return reply({ error: `There is no ${request.method} ${pathname} here.` }, 404);
  });
}

/** The parts of a verify or settle request that the stub reads, in both versions. */
interface PaymentCall {
  readonly paymentPayload?: {
    readonly payload?: {
      readonly authorization?: { readonly from?: string };
      readonly permit2Authorization?: { readonly from?: string };
    };
  };
  readonly paymentRequirements?: { readonly network?: string };
}

async function answerPayment(
  request: Request,
  answer: (payer: string, call: PaymentCall) => object,
): Promise<Response> {
  let call: PaymentCall | null;
  try {
    call = await request.json();
  } catch {
    return reply({ error: "The request body is not JSON." }, 400);
  }
  const payload = call?.paymentPayload?.payload;
  const payer = (payload?.authorization ?? payload?.permit2Authorization)?.from ?? "";
  return reply(answer(payer, call ?? {}));
}

function settlement(payer: string, { paymentRequirements }: PaymentCall) {
  const transaction = `0x${crypto.getRandomValues(new Uint8Array(32)).toHex()}`;
  return { success: true, payer, transaction, network: paymentRequirements?.network ?? "" };
}

function supported(asked: readonly string[]) {
  const kinds = [...listedNetworks, ...asked].map((network) => ({
    x402Version: network.includes(":") ? 2 : 1,
    scheme: "exact",
    network,
  }));
  return { kinds, extensions: [], signers: {} };
}

function reply(body: object, status = 200): Response {
  return new Response(JSON.stringify({ ...body, stub: true }), { status, headers });
}

/** `x402-k8s-operator facilitator-stub`. */
export function facilitatorStubCommand(): Command {
  return new Command("facilitator-stub")
    .addOption(
      new Option("--listen <host:port>", "address to listen on")
        .argParser(listenAddress)
        .default({ hostname: "127.0.0.1", port: 9402 }, "127.0.0.1:9402")
        .env("X402_FACILITATOR_STUB_LISTEN"),
    )
    .action(async ({ listen }: { listen: { hostname: string; port: number } }) => {
      try {
        const server = startFacilitatorStub(listen);
        const { hostname, port } = server.addr;
        say(`THIS FACILITATOR IS A STUB: it ${warning}. http://${hostname}:${port}`);
        await server.finished;
      } catch (error) {
        const address = `${listen.hostname}:${listen.port}`;
        say(`error: Cannot listen on ${address}: ${(error as Error).message}`);
        Deno.exitCode = 1;
      }
    });
}

function say(line: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(line + "\n"));
}
