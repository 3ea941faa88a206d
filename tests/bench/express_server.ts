/**
 * `@x402/express` as its documentation shows it, in front of a proxy. Usage:
 * `express_server.ts BACKEND FACILITATOR`; prints the port.
 */
import { Agent, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { HTTPFacilitatorClient } from "@x402/core/server";
import { ExactEvmScheme } from "@x402/evm/exact/server";
import { paymentMiddleware, x402ResourceServer } from "@x402/express";
import express from "express";

const [backend = "", facilitator = ""] = Deno.args;
const network = "eip155:84532";
const resourceServer = new x402ResourceServer(new HTTPFacilitatorClient({ url: facilitator }))
  .register(network, new ExactEvmScheme());
const accepts = {
  scheme: "exact",
  price: "$0.001",
  network,
  payTo: "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
} as const;
const agent = new Agent({ keepAlive: true, maxSockets: 512 });

const app = express();
app.use(paymentMiddleware({ "GET /api/*": { accepts } }, resourceServer));
app.use((incoming: IncomingMessage, outgoing: ServerResponse) => {
  const { method = "", url, headers } = incoming;
  const sent = request(`${backend}${url}`, { agent, method, headers }, (reply) => {
    outgoing.writeHead(reply.statusCode!, reply.headers);
    reply.pipe(outgoing);
  });
  sent.on("error", () => outgoing.destroy());
  incoming.pipe(sent);
});
const server = app.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  Deno.stdout.writeSync(new TextEncoder().encode(`listening ${port}\n`));
});
