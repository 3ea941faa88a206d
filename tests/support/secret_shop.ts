/** A gateway process whose every neighbour has a secret to give away, and misbehaves in some way. */
import { generateKeyPairSync } from "node:crypto";
import { join } from "node:path";
import { rawBackend } from "../../gateway/upstream/raw_sockets.ts";
import { freePorts } from "../cluster/free_port.ts";
import { type Gateway, startGateway } from "../rig/gateway_process.ts";
import type { LeakWatch } from "./leak_watch.ts";
import { type ScriptedFacilitator, startScriptedFacilitator } from "./scripted_facilitator.ts";

/** Receives all payments. */
export const wallet = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";

export interface SecretShop extends AsyncDisposable {
  readonly gateway: Gateway;
  /** Wants a header. */
  readonly facilitator: ScriptedFacilitator;
  /** Takes keys of the Coinbase Developer Platform. */
  readonly cdp: ScriptedFacilitator;
}

/** @param ledger a path, or a URL with a secret in it */
export async function startSecretShop(watch: LeakWatch, ledger: string): Promise<SecretShop> {
  await using started = new AsyncDisposableStack();
  const facilitator = started.use(startScriptedFacilitator());
  const cdp = started.use(startScriptedFacilitator());
  const backend = started.use(startBackend(watch));
  const node = started.use(startNode(watch));
  const closed = freePorts(1)[0]!;
  const folder = await Deno.makeTempDir({ prefix: "x402-secrets-" });
  started.defer(() => Deno.remove(folder, { recursive: true }));
  await Deno.mkdir(join(folder, "manifests"));
  const ports = { api: Number(new URL(backend.url).port), dead: closed };
  const manifests = manifestsOf(ports, facilitator.url, cdp.url);
  await Deno.writeTextFile(join(folder, "manifests", "shop.yaml"), manifests);
  for (const [name, port] of Object.entries(ports)) watch.keepFromClients(name, `:${port}`);
  for (const { url } of [facilitator, cdp, node]) {
    watch.keepFromClients("a neighbour", `:${new URL(url).port}`);
  }
  for (const name of ["localhost", "127.0.0.1"]) watch.keepFromClients("this machine", name);
  const gateway = started.use(
    await startGateway({
      manifests: join(folder, "manifests"),
      flags: [
        ...["--log-level", "debug", "--access-log", "--workers", "1", "--ledger", ledger],
        ...["--allow-facilitator-host", "localhost", "--allow-facilitator-host", "127.0.0.1"],
        ...[
          "--verify-timeout",
          "400ms",
          "--settle-timeout",
          "400ms",
          "--upstream-timeout",
          "400ms",
        ],
        ...["--reconcile-interval", "200ms", "--rate-limit-unpaid", "40/1h"],
        ...["--rpc-url", `base-sepolia=${node.url}/v2/${watch.secret("node-key")}`],
        ...await credentialFlags(watch, folder, facilitator.url, cdp.url),
      ],
    }),
  );
  const running = started.move();
  return { gateway, facilitator, cdp, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

async function credentialFlags(
  watch: LeakWatch,
  folder: string,
  facilitator: string,
  cdp: string,
): Promise<string[]> {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  for (const line of pem.split("\n").filter((line) => /^[^-]/.test(line))) {
    watch.keep("a line of the key", line);
  }
  const files = {
    "headers.yaml": `${facilitator}:\n  Authorization: Bearer ${watch.secret("facilitator")}\n`,
    "id": "organizations/1/apiKeys/2",
    "key": pem,
  };
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(join(folder, name), text);
  }
  return [
    ...["--facilitator-headers-file", join(folder, "headers.yaml"), "--cdp-facilitator", cdp],
    ...[
      "--cdp-api-key-id-file",
      join(folder, "id"),
      "--cdp-api-key-secret-file",
      join(folder, "key"),
    ],
  ];
}

/** Answers by path, and its faults have secrets in them. */
function startBackend(watch: LeakWatch) {
  const answers: Record<string, string> = {
    "/paid/garbage": `HTTP/7.7 200 ${watch.secret("status-line")}\r\n\r\n`,
    "/paid/headers": `HTTP/1.1 200 OK\r\n${watch.secret("name")} x: y\r\n\r\n`,
    "/paid/length": `HTTP/1.1 200 OK\r\ncontent-length: ${watch.secret("length")}\r\n\r\n`,
    "/paid/coding": `HTTP/1.1 200 OK\r\ntransfer-encoding: ${watch.secret("coding")}\r\n\r\n`,
    "/paid/chunk": `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${
      watch.secret("size")
    }\r\n`,
    "/paid/reset": "",
  };
  return rawBackend(async (connection, request) => {
    const path = request.split(/[ ?]/)[1]!;
    if (path === "/paid/hang") return await new Promise(() => {});
    const isUpgrade = /^upgrade: websocket\r$/im.test(request);
    const answer = path === "/paid/socket" && isUpgrade
      ? "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n"
      : answers[path] ?? "HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\nserved\n";
    await connection.write(new TextEncoder().encode(answer));
    if (path in answers || isUpgrade) connection.close();
  });
}

/** A node that does not want to, and says the key that it was asked with. */
function startNode(watch: LeakWatch) {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => {
    const message = `no such key ${watch.secret("node-key")}`;
    return Response.json({ jsonrpc: "2.0", id: 1, error: { code: -32000, message } });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

function manifestsOf(ports: Record<string, number>, facilitator: string, cdp: string): string {
  const backendOf = (name: string) => ({ service: { name, port: { number: ports[name] } } });
  const paths = [["/dead", "dead"], ["/", "api"]].map(([path, name]) => ({
    ...{ path, pathType: "Prefix", backend: backendOf(name!) },
  }));
  const services = Object.entries(ports).map(([name, port]) => ({
    ...{ apiVersion: "v1", kind: "Service", metadata: { name } },
    spec: { type: "ExternalName", externalName: "localhost", ports: [{ port }] },
  }));
  const route = (name: string, facilitatorURL: string, paths: string[], settle: string) => ({
    ...{ apiVersion: "x402.io/v1alpha1", kind: "X402Route", metadata: { name } },
    spec: {
      ingressRef: { name: "shop" },
      payment: { wallet, network: "base-sepolia", defaultPrice: "0.001", facilitatorURL, settle },
      routes: paths.map((path) => ({ path })),
    },
  });
  const objects = [
    {
      ...{ apiVersion: "networking.k8s.io/v1", kind: "Ingress", metadata: { name: "shop" } },
      spec: { rules: [{ http: { paths } }] },
    },
    ...services,
    route("after", facilitator, ["/paid/**", "/dead/paid"], "after-response"),
    route("before", facilitator, ["/before/**"], "before-request"),
    route("cdp", cdp, ["/cdp"], "after-response"),
  ];
  return objects.map((object) => JSON.stringify(object)).join("\n---\n");
}
