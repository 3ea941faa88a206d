import { Buffer } from "node:buffer";
import { createPrivateKey, createPublicKey, type KeyObject, sign } from "node:crypto";

/** Seconds that a token is good for, as Coinbase's own client has it. */
export const tokenSeconds = 120;

/** Before the 32 bytes of a seed, the DER of PKCS #8 for Ed25519 (RFC 8410, section 7). */
const ed25519Header = Buffer.from("302e020100300506032b657004220420", "hex");

/** An API key of the Coinbase Developer Platform; it signs one token per method and URL. */
export class CdpKey {
  readonly #key: KeyObject;
  readonly #algorithm: "EdDSA" | "ES256";

  /**
   * @param id `organizations/.../apiKeys/...` or a UUID
   * @param secret base64 of an Ed25519 seed and its public key, or PEM of a P-256 key (SEC 1, PKCS #8)
   * @throws {TypeError} that says what is allowed and does not quote the secret
   */
  constructor(private readonly id: string, secret: string) {
    // Copied out of a JSON file, a PEM has its line ends written as two characters.
    const text = secret.replaceAll("\\n", "\n").trim();
    this.#key = text.startsWith("-----BEGIN") ? readPem(text) : readEd25519(text);
    this.#algorithm = this.#key.asymmetricKeyType === "ed25519" ? "EdDSA" : "ES256";
  }

  /**
   * A bearer token for `method` and `url`, good for `tokenSeconds`.
   * @param now in Unix seconds
   */
  sign(method: string, url: string, now: number): string {
    const { host, pathname } = new URL(url);
    const nonce = crypto.getRandomValues(new Uint8Array(16)).toHex();
    const header = { alg: this.#algorithm, kid: this.id, typ: "JWT", nonce };
    const claims = {
      ...{ sub: this.id, iss: "cdp", uris: [`${method} ${host}${pathname}`] },
      ...{ iat: now, nbf: now, exp: now + tokenSeconds },
    };
    const message = `${encode(header)}.${encode(claims)}`;
    const signature = this.#algorithm === "EdDSA"
      ? sign(null, Buffer.from(message), this.#key)
      // JWTs want the two numbers of a signature side by side (RFC 7518, section 3.4), not DER.
      : sign("sha256", Buffer.from(message), { key: this.#key, dsaEncoding: "ieee-p1363" });
    return `${message}.${signature.toString("base64url")}`;
  }
}

function readPem(text: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(text);
  } catch {
    throw new TypeError("the PEM text is no private key without a password");
  }
  const isP256 = key.asymmetricKeyType === "ec" &&
    key.asymmetricKeyDetails?.namedCurve === "prime256v1";
  if (!isP256) throw new TypeError("the PEM text is no key of the curve P-256");
  return key;
}

function readEd25519(text: string): KeyObject {
  let bytes: Uint8Array;
  try {
    bytes = Uint8Array.fromBase64(text);
  } catch {
    bytes = new Uint8Array();
  }
  if (bytes.length !== 64) {
    throw new TypeError("write the 64 bytes of an Ed25519 key in base64, or the PEM of an EC key");
  }
  const der = Buffer.concat([ed25519Header, bytes.subarray(0, 32)]);
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const publicKey = createPublicKey(key).export({ format: "jwk" }).x;
  if (publicKey !== Buffer.from(bytes.subarray(32)).toString("base64url")) {
    throw new TypeError("the two halves of the Ed25519 key do not belong together");
  }
  return key;
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
