/** For tests: certificates, made by the `openssl` of the machine. */
import { join } from "node:path";

export interface Certificate {
  /** PEM. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
}

/** An authority that nobody trusts who was not told to. */
export class TestAuthority implements AsyncDisposable {
  private constructor(private readonly folder: string, readonly cert: string) {}

  static async create(): Promise<TestAuthority> {
    const folder = await Deno.makeTempDir({ prefix: "x402-tls-" });
    await openssl(folder, "req", "-x509", ...newKey("ca"), "-out", "ca.crt");
    return new TestAuthority(folder, await Deno.readTextFile(join(folder, "ca.crt")));
  }

  /** @param subject such as `DNS:localhost,IP:::1` */
  async issue(subject: string): Promise<Certificate> {
    const { folder } = this;
    await openssl(folder, "req", ...newKey("server"), "-out", "server.csr");
    await Deno.writeTextFile(join(folder, "names"), `subjectAltName=${subject}\n`);
    const authority = ["-CA", "ca.crt", "-CAkey", "ca.key", "-set_serial", "1", "-days", "1"];
    const files = ["-in", "server.csr", "-extfile", "names", "-out", "server.crt"];
    await openssl(folder, "x509", "-req", ...authority, ...files);
    return {
      cert: await Deno.readTextFile(join(folder, "server.crt")),
      key: await Deno.readTextFile(join(folder, "server.key")),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

function newKey(name: string): string[] {
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  return [...curve, "-keyout", `${name}.key`, "-subj", `/CN=x402 test ${name}`];
}

async function openssl(folder: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", { args, cwd: folder }).output();
  if (!success) throw new Error(`openssl ${args[0]}: ${new TextDecoder().decode(stderr)}`);
}
