import assert from "node:assert/strict";

/** Secrets that are put in, and everything that comes out. */
export class LeakWatch {
  /** In every secret that can have any text. */
  readonly marker = `s3cr3t${crypto.getRandomValues(new Uint8Array(6)).toHex()}`;
  readonly #secrets = new Map<string, string>();
  readonly #addresses = new Map<string, string>();
  readonly #replies: string[] = [];
  readonly #outputs: string[] = [];

  /** A secret of that name. */
  secret(name: string): string {
    return `${this.marker}-${name}`;
  }

  /** A secret whose text somebody else has made. */
  keep(name: string, secret: string): void {
    this.#secrets.set(secret.toLowerCase(), name);
  }

  /** A part of a reply that would tell a client what is behind the gateway. */
  keepFromClients(name: string, address: string): void {
    this.#addresses.set(address.toLowerCase(), name);
  }

  /** What a client got, head and body. A 402 repeats the client's own query to it. */
  reply(text: string): void {
    const terms = /^payment-required: (\S+)/m.exec(text)?.[1];
    const all = `${text}${terms === undefined ? "" : atob(terms)}`;
    this.#replies.push(all.replaceAll(this.secret("query"), "QUERY"));
  }

  /** What the process said, or tells those who watch it. */
  output(text: string): void {
    this.#outputs.push(text);
  }

  /** @throws {AssertionError} with the first places where something is that should not be */
  check(): void {
    const leaks = [
      ...this.#replies.flatMap((text) => this.#find(text, [this.#secrets, this.#addresses])),
      ...this.#outputs.flatMap((text) => text.split("\n"))
        .flatMap((line) => this.#find(line, [this.#secrets])),
    ];
    assert.deepEqual(leaks.slice(0, 10), []);
  }

  #find(text: string, kept: readonly ReadonlyMap<string, string>[]): string[] {
    const lower = text.toLowerCase();
    const found = kept.flatMap((names) =>
      [...names].filter(([secret]) => lower.includes(secret)).map(([, name]) => name)
    );
    if (lower.includes(this.marker)) found.push("something marked");
    return found.map((name) => `${name} in: ${text.slice(0, 1_000)}`);
  }
}
