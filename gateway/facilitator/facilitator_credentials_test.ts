import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { Logger } from "../../store/log.ts";
import { Metrics } from "../../store/metrics.ts";
import { startScriptedFacilitator } from "../../tests/support/scripted_facilitator.ts";
import { signedPayment } from "../../tests/support/signed_payment.ts";
import { usdcTerms } from "../../tests/support/test_gateway.ts";
import { FacilitatorAddresses } from "./facilitator_addresses.ts";
import { FacilitatorClient } from "./facilitator_client.ts";
import { type CredentialSources, FacilitatorCredentials } from "./facilitator_credentials.ts";

const log = new Logger("error", () => {});

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function writeKey(folder: string): Promise<{ keyIdFile: string; keySecretFile: string }> {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const files = { keyIdFile: `${folder}/id`, keySecretFile: `${folder}/secret` };
  await Deno.writeTextFile(files.keyIdFile, "organizations/0/apiKeys/1\n");
  const pem = privateKey.export({ type: "sec1", format: "pem" }).toString();
  await Deno.writeTextFile(files.keySecretFile, pem);
  return files;
}

function load(sources: CredentialSources, allowed: readonly string[] = []) {
  const hosts = { allowedFacilitatorHosts: allowed, clusterDomain: "cluster.local" };
  return FacilitatorCredentials.load(sources, hosts, log);
}

Deno.test("on the wire: headers go to their URL with every call, and to no other facilitator", async () => {
  await inFolder(async (folder) => {
    await using ours = startScriptedFacilitator();
    await using foreign = startScriptedFacilitator();
    const headersFile = `${folder}/headers.yaml`;
    await Deno.writeTextFile(headersFile, `${ours.url}/x402: { X-Api-Key: s3cr3t }\n`);
    const cdp = { ...await writeKey(folder), facilitators: [`${ours.url}/cdp`] };
    const credentials = await load({ headersFile, cdp }, [new URL(ours.url).host]);
    const hosts = { allowedFacilitatorHosts: [], clusterDomain: "cluster.local" };
    const settings = { verifyMs: 2_000, settleMs: 2_000, credentials };
    const { facilitators } = new Metrics();
    const client = new FacilitatorClient(
      settings,
      new FacilitatorAddresses(hosts, log),
      log,
      facilitators,
    );
    const payment = await signedPayment(usdcTerms(""));
    const callAll = async (url: string) => {
      const terms = usdcTerms(url);
      assert.equal((await client.verify(payment, terms, "http://a.test/")).kind, "valid");
      assert.equal((await client.settle(payment, terms, "http://a.test/")).kind, "settled");
      await client.supported(url);
    };
    for (const url of [`${ours.url}/x402`, ours.url, `${ours.url}/cdp`, `${foreign.url}/x402`]) {
      await callAll(url);
    }
    client.close();
    const sent = ours.requests.map(({ path, headers }) =>
      `${path} ${headers.get("x-api-key")} ${headers.get("authorization")?.slice(0, 9) ?? null}`
    );
    assert.deepEqual(sent, [
      ...["/x402/verify s3cr3t null", "/x402/settle s3cr3t null", "/x402/supported s3cr3t null"],
      ...["/verify null null", "/settle null null", "/supported null null"],
      ...["/cdp/verify null Bearer ey", "/cdp/settle null Bearer ey"],
      "/cdp/supported null Bearer ey",
    ]);
    for (const { headers } of foreign.requests) {
      assert.deepEqual([headers.get("x-api-key"), headers.get("authorization")], [null, null]);
    }
  });
});

const coinbase = "https://api.cdp.coinbase.com/platform/v2/x402";

const targets: [url: string, signed: boolean][] = [
  [`${coinbase}/verify`, true],
  [`${coinbase}/a/verify`, false],
  [`${coinbase}/..%2fevm/verify`, false],
  [`${coinbase}/../evm/accounts/verify`, false],
  ["https://api.cdp.coinbase.com/platform/v2/verify", false],
  ["https://api.cdp.coinbase.com/platform/v2/x402evil/verify", false],
  ["https://api.cdp.coinbase.com:8443/platform/v2/x402/verify", false],
  ["http://api.cdp.coinbase.com/platform/v2/x402/verify", false],
  ["https://api.cdp.coinbase.com.evil.net/platform/v2/x402/verify", false],
];

Deno.test("the key signs for Coinbase's facilitator alone unless another is named", async (t) => {
  await inFolder(async (folder) => {
    const files = await writeKey(folder);
    const credentials = await load({ cdp: { ...files, facilitators: [] } });
    for (const [url, signed] of targets) {
      await t.step(`${signed ? "signs" : "does not sign"} ${url}`, async () => {
        const lines = await credentials.headersFor("POST", url);
        assert.deepEqual(lines.map(([name]) => name), signed ? ["authorization"] : []);
      });
    }
    const facilitators = ["https://pay.example.com/x402/"];
    const replaced = await load({ cdp: { ...files, facilitators } });
    assert.deepEqual(await replaced.headersFor("POST", `${coinbase}/verify`), []);
    const [line] = await replaced.headersFor("POST", "https://pay.example.com/x402/verify");
    const claims = JSON.parse(atob(line![1].split(".")[1]!));
    assert.deepEqual(claims.uris, ["POST pay.example.com/x402/verify"]);
  });
});

Deno.test("an Authorization of the headers file goes before the key's", async () => {
  await inFolder(async (folder) => {
    const headersFile = `${folder}/headers.yaml`;
    await Deno.writeTextFile(headersFile, `${coinbase}: { Authorization: Bearer mine }\n`);
    const cdp = { ...await writeKey(folder), facilitators: [] };
    const credentials = await load({ headersFile, cdp });
    const lines = await credentials.headersFor("POST", `${coinbase}/verify`);
    assert.deepEqual(lines, [["authorization", "Bearer mine"]]);
  });
});

Deno.test("key files that cannot be used: the file and why", async () => {
  await inFolder(async (folder) => {
    const files = { ...await writeKey(folder), facilitators: [] };
    await assert.rejects(
      load({ cdp: { ...files, facilitators: ["http://pay.example.com"] } }),
      /--cdp-facilitator: secrets do not go to http:/,
    );
    await Deno.writeTextFile(files.keySecretFile, "s3cr3t");
    await assert.rejects(load({ cdp: files }), ({ message }: Error) => {
      assert.doesNotMatch(message, /s3cr3t/);
      return message.startsWith(`${files.keySecretFile}: write the 64 bytes`);
    });
    await Deno.writeTextFile(files.keyIdFile, "two\nlines");
    await assert.rejects(load({ cdp: files }), /id has to hold the id of the API key, one line/);
  });
});
