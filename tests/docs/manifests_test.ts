/** The manifests of the documentation, through the program itself. */
import assert from "node:assert/strict";
import { parseAllDocuments, stringify } from "yaml";
import { startFacilitatorStub } from "../../commands/facilitator_stub.ts";
import { startGateway } from "../rig/gateway_process.ts";
import { startPaidApi } from "../rig/paid_api.ts";
import { runCommand } from "../support/run_command.ts";
import { blocks, filledIn, placeOf } from "./documents.ts";
import type { Block } from "./markdown.ts";

/** Facilitators on the reader's own machine, and backends where standalone mode has them. */
const allowed = ["--allow-facilitator-host", "localhost", "--allow-external-name"];

function kindsOf(block: Block): string[] {
  return parseAllDocuments(filledIn(block)).map((document) => document.toJS()?.kind);
}

const priced = blocks("yaml").filter((block) => kindsOf(block).includes("X402Route"));

/** For `ingressRef.mode: Manual`: validate assumes Services that Ingresses name, but not these. */
const ownService = `---
apiVersion: v1
kind: Service
metadata: { name: my-api }
spec: { ports: [{ port: 80 }] }
`;

Deno.test("docs: what is priced in the examples is valid, without a warning", async (t) => {
  assert.ok(priced.length >= 4);
  for (const block of priced) {
    await t.step(placeOf(block), async () => {
      const args = ["validate", "-o", "json", "-f", "-", ...allowed];
      const stdin = filledIn(block) + (block.text.includes("mode: Manual") ? ownService : "");
      const { stdout, stderr } = await runCommand(args, { stdin });
      const { valid, diagnostics } = JSON.parse(stdout);
      // Notes are about what is not among the manifests.
      const wrong = diagnostics.filter((it: { severity: string }) => it.severity !== "note");
      assert.deepEqual([valid, wrong, stderr], [true, [], ""]);
    });
  }
});

Deno.test("docs: the placeholder for a wallet is refused, so that nobody pays nobody", async () => {
  const block = priced.find(({ text }) => text.includes("0xYourWalletAddress"))!;
  const { code, stdout } = await runCommand(["validate", "-f", "-"], { stdin: block.text });
  assert.equal(code, 1);
  assert.match(stdout, /spec\.payment\.wallet is "0xYourWalletAddress"/);
});

/** A folder with one file, and what stands in the place of the reader's API and facilitator. */
async function serve(text: string) {
  await using started = new AsyncDisposableStack();
  const api = started.use(startPaidApi());
  const stub = started.use(startFacilitatorStub({ hostname: "127.0.0.1", port: 0 }));
  const folder = await Deno.makeTempDir({ prefix: "x402-docs-" });
  started.defer(() => Deno.remove(folder, { recursive: true }));
  const manifest = text.replaceAll("9090", String(api.port))
    .replaceAll("localhost:9402", `127.0.0.1:${stub.addr.port}`);
  await Deno.writeTextFile(`${folder}/manifests.yaml`, manifest);
  const flags = ["--allow-facilitator-host", "127.0.0.1"];
  const gateway = started.use(await startGateway({ manifests: folder, flags }));
  const running = started.move();
  return {
    url: gateway.url,
    api,
    get: async (path: string, headers: Record<string, string> = {}) => {
      const reply = await fetch(gateway.url + path, { headers });
      await reply.body?.cancel();
      return reply.status;
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

Deno.test("docs: README's prices, served by the standalone gateway, cost what they say", async () => {
  const [block] = priced.filter(({ file }) => file === "README.md");
  const backend = { service: { name: "api", port: { number: 9090 } } };
  const paths = [{ path: "/", pathType: "Prefix", backend }];
  const ingress = {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name: "my-api-ingress" },
    spec: { rules: [{ http: { paths } }] },
  };
  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "api" },
    spec: { type: "ExternalName", externalName: "127.0.0.1", ports: [{ port: 9090 }] },
  };
  const all = [filledIn(block!), stringify(ingress), stringify(service)].join("---\n");
  await using shop = await serve(all);
  assert.equal(await shop.get("/api/weather"), 402);
  assert.equal(await shop.get("/reports/2026/1.pdf"), 402);
  assert.equal(await shop.get("/articles/1", { "user-agent": "ClaudeBot" }), 402);
  assert.equal(await shop.get("/articles/1", { "user-agent": "Firefox" }), 200);
  assert.equal(await shop.get("/health"), 200);
  assert.equal(await shop.get("/elsewhere"), 200);
});

Deno.test("docs: the quick start without a cluster: 402, then a purchase with pay", async () => {
  const block = priced.find((block) =>
    block.file === "docs/quickstart.md" && kindsOf(block).includes("Service")
  );
  await using shop = await serve(filledIn(block!));
  assert.equal(await shop.get("/api/hello"), 402);
  const url = `${shop.url}/api/hello`;
  const args = ["pay", url, "--dev-account", "1", "--max-amount", "0.01"];
  const { code, stdout, stderr } = await runCommand(args);
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout + stderr, /Paying as 0x[^]*Receipt: paid[^]*transaction: 0x/);
  assert.equal(shop.api.calls({ path: "/api/hello" }), 1);
});
