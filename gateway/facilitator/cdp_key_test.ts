import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { generateKeyPairSync, type KeyObject, verify } from "node:crypto";
import { CdpKey } from "./cdp_key.ts";
import { CdpTokens } from "./cdp_tokens.ts";

const id = "organizations/0/apiKeys/1";
const url = "https://api.cdp.coinbase.com/platform/v2/x402/verify";

/** The 64 bytes that Coinbase hands out, in base64. */
function ed25519Secret({ privateKey }: { privateKey: KeyObject }): string {
  const { d, x } = privateKey.export({ format: "jwk" });
  return Buffer.concat([d!, x!].map((text) => Buffer.from(text, "base64url"))).toString("base64");
}

function decode(part: string) {
  return JSON.parse(Buffer.from(part, "base64url").toString());
}

const ed25519 = generateKeyPairSync("ed25519");
const p256 = generateKeyPairSync("ec", { namedCurve: "P-256" });
const pem = (type: "sec1" | "pkcs8") => p256.privateKey.export({ type, format: "pem" }).toString();

const keys: [name: string, secret: string, alg: string][] = [
  ["Ed25519", ed25519Secret(ed25519), "EdDSA"],
  ["Ed25519 and a line end", `${ed25519Secret(ed25519)}\n`, "EdDSA"],
  ["P-256, SEC 1", pem("sec1"), "ES256"],
  ["P-256, PKCS #8", pem("pkcs8"), "ES256"],
  ["P-256 copied out of JSON", JSON.stringify(pem("sec1")).slice(1, -1), "ES256"],
];

for (const [name, secret, alg] of keys) {
  Deno.test(`${name}: the token is signed, for one method and URL, for two minutes`, () => {
    const token = new CdpKey(id, secret).sign("POST", url, 1_700_000_000);
    const [header, claims, signature] = token.split(".") as [string, string, string];
    const { nonce, ...fixed } = decode(header);
    assert.deepEqual(fixed, { alg, kid: id, typ: "JWT" });
    assert.match(nonce, /^[0-9a-f]{32}$/);
    assert.deepEqual(decode(claims), {
      sub: id,
      iss: "cdp",
      uris: ["POST api.cdp.coinbase.com/platform/v2/x402/verify"],
      iat: 1_700_000_000,
      nbf: 1_700_000_000,
      exp: 1_700_000_120,
    });
    const message = Buffer.from(`${header}.${claims}`);
    const bytes = Buffer.from(signature, "base64url");
    const isGood = alg === "EdDSA"
      ? verify(null, message, ed25519.publicKey, bytes)
      : verify("sha256", message, { key: p256.publicKey, dsaEncoding: "ieee-p1363" }, bytes);
    assert.ok(isGood);
  });
}

const other = generateKeyPairSync("ed25519");
const mixed = Buffer.concat([
  Buffer.from(ed25519Secret(ed25519), "base64").subarray(0, 32),
  Buffer.from(ed25519Secret(other), "base64").subarray(32),
]).toString("base64");
const p384 = generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey;

const wrong: [secret: string, says: RegExp][] = [
  ["", /64 bytes of an Ed25519 key in base64, or the PEM/],
  ["s3cr3t!", /64 bytes of an Ed25519 key/],
  [Buffer.alloc(32, 7).toString("base64"), /64 bytes of an Ed25519 key/],
  [mixed, /two halves/],
  ["-----BEGIN EC PRIVATE KEY-----\ns3cr3t\n-----END EC PRIVATE KEY-----", /no private key/],
  [p256.publicKey.export({ type: "spki", format: "pem" }).toString(), /no private key/],
  [p384.export({ type: "pkcs8", format: "pem" }).toString(), /P-256/],
  [ed25519.privateKey.export({ type: "pkcs8", format: "pem" }).toString(), /P-256/],
];

for (const [secret, says] of wrong) {
  Deno.test(`a secret that is none: ${says}, of ${secret.length} characters`, () => {
    assert.throws(() => new CdpKey(id, secret), (error: Error) => {
      assert.match(error.message, says);
      assert.doesNotMatch(error.message, /s3cr3t|\n/);
      return true;
    });
  });
}

Deno.test("a token is used again until shortly before it expires", () => {
  let now = 1_700_000_000;
  const tokens = new CdpTokens(new CdpKey(id, ed25519Secret(ed25519)), () => now);
  const first = tokens.tokenFor("POST", url);
  now += 89;
  assert.equal(tokens.tokenFor("POST", url), first);
  now += 1;
  const second = tokens.tokenFor("POST", url);
  assert.notEqual(second, first, "30 s before its end");
  assert.notEqual(tokens.tokenFor("GET", url), second, "another method");
  assert.notEqual(tokens.tokenFor("POST", `${url}2`), second, "another URL");
  now -= 3_600;
  assert.equal(
    decode(tokens.tokenFor("POST", url).split(".")[1]!).iat,
    now,
    "the clock was set back",
  );
});
