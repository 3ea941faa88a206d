/** A real kube-apiserver on a real etcd, for tests: both on 127.0.0.1, data gone at the end. */
import { generateKeyPairSync } from "node:crypto";
import { join } from "node:path";
import { apiServerFlags, etcdFlags } from "./api_server_flags.ts";
import { getAssets } from "./get_assets.ts";
import { freePorts } from "./free_port.ts";
import { GuardedProcess, type GuardOptions } from "./guarded_process.ts";

/** What is needed to talk to an API server as a user that may do everything. */
export interface ClusterAccess {
  /** Such as `https://127.0.0.1:20443`. */
  readonly url: string;
  readonly caPem: string;
  readonly adminToken: string;
  /** Path of a kubeconfig file for the same. */
  readonly kubeconfig: string;
}

/** How long a start may take, in ms: 4 s where the machine is free. */
const startDeadline = 60_000;

/** Starts etcd and kube-apiserver, with RBAC on; about 4 s. */
export async function startApiServer(): Promise<ApiServer> {
  const server = new ApiServer(await getAssets(), await Deno.makeTempDir({ prefix: "x402-kube-" }));
  try {
    await server.start();
    return server;
  } catch (error) {
    await server.stop();
    throw error;
  }
}

export class ApiServer implements ClusterAccess, AsyncDisposable {
  readonly url: string;
  readonly adminToken = crypto.randomUUID();
  readonly kubeconfig: string;
  caPem = "";
  readonly #etcdUrl: string;
  readonly #etcdPeerUrl: string;
  #etcd: GuardedProcess | undefined;
  #apiServer: GuardedProcess | undefined;

  constructor(private readonly assets: string, private readonly folder: string) {
    const [port, etcdPort, etcdPeerPort] = freePorts(3);
    this.url = `https://127.0.0.1:${port}`;
    this.#etcdUrl = `http://127.0.0.1:${etcdPort}`;
    this.#etcdPeerUrl = `http://127.0.0.1:${etcdPeerPort}`;
    this.kubeconfig = join(folder, "kubeconfig");
  }

  /** Starts both programs and writes the kubeconfig. */
  async start(): Promise<void> {
    await this.#writeCredentials();
    const flags = etcdFlags(this.folder, this.#etcdUrl, this.#etcdPeerUrl);
    this.#etcd = await this.#run("etcd", flags, { scratch: this.folder });
    await this.startApiServer();
    await this.#writeKubeconfig();
  }

  /** Starts kube-apiserver (again) on its port and data; resolves when it is ready. */
  async startApiServer(): Promise<void> {
    const { port } = new URL(this.url);
    const server = await this.#run(
      "kube-apiserver",
      apiServerFlags(this.folder, port, this.#etcdUrl),
    );
    this.#apiServer = server;
    let running = true;
    void server.ended.then(() => running = false);
    const deadline = performance.now() + startDeadline;
    while (!await this.#isReady()) {
      if (!running) throw await this.#failure("has ended");
      if (performance.now() > deadline) throw await this.#failure("is not ready");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Kills kube-apiserver; etcd and all data stay. */
  async stopApiServer(): Promise<void> {
    await this.#apiServer?.end();
  }

  /** Stops kube-apiserver in its tracks (SIGSTOP): connections stay open and nothing answers. */
  async suspend(): Promise<void> {
    this.#apiServer?.signal("SIGSTOP");
    // Its threads stop one after the other, and until the last one it may still answer.
    await new Promise((resolve) => setTimeout(resolve, 50));
  }

  /** Lets it go on after `suspend`. */
  resume(): void {
    this.#apiServer?.signal("SIGCONT");
  }

  /**
   * Drops etcd's history. It shows after a restart of kube-apiserver, which until then answers from
   * memory: lists that are continued get 410. (An old watch gets 410 after any restart.)
   */
  async compactEtcd(): Promise<void> {
    const { header } = await this.#etcdCall("range", { key: btoa("compact") });
    await this.#etcdCall("compaction", { revision: header.revision, physical: true });
  }

  /** Kills both programs; their files go with etcd. */
  async stop(): Promise<void> {
    await this.#apiServer?.end();
    await this.#etcd?.end();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #run(
    program: string,
    flags: readonly string[],
    options: GuardOptions = {},
  ): Promise<GuardedProcess> {
    const log = join(this.folder, `${program}.log`);
    return GuardedProcess.start([join(this.assets, program), ...flags], { log, ...options });
  }

  async #isReady(): Promise<boolean> {
    try {
      // Made by kube-apiserver at its first start: the leaf and the CA that signed it.
      this.caPem = await Deno.readTextFile(join(this.folder, "certs/apiserver.crt"));
      using client = Deno.createHttpClient({ caCerts: [this.caPem] });
      const headers = { authorization: `Bearer ${this.adminToken}` };
      const reply = await fetch(`${this.url}/readyz`, { client, headers });
      return await reply.text() === "ok";
    } catch {
      return false;
    }
  }

  async #failure(what: string): Promise<Error> {
    const log = await Deno.readTextFile(join(this.folder, "kube-apiserver.log"));
    return new Error(`kube-apiserver ${what}; the end of its log:\n${log.slice(-2000)}`);
  }

  /** etcd's JSON gateway: bytes are base64, 64-bit integers are strings. */
  async #etcdCall(method: string, body: object): Promise<{ header: { revision: string } }> {
    const url = `${this.#etcdUrl}/v3/kv/${method}`;
    const reply = await fetch(url, { method: "POST", body: JSON.stringify(body) });
    if (!reply.ok) throw new Error(`etcd answers ${reply.status} to ${url}: ${await reply.text()}`);
    return await reply.json();
  }

  async #writeCredentials(): Promise<void> {
    const { publicKey, privateKey } = generateKeyPairSync("ec", {
      namedCurve: "P-256",
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
    });
    await Promise.all([
      this.#write("sa.pub", publicKey),
      this.#write("sa.key", privateKey),
      this.#write("tokens.csv", `${this.adminToken},admin,admin-uid,"system:masters"\n`),
    ]);
  }

  /** JSON is YAML. */
  async #writeKubeconfig(): Promise<void> {
    const cluster = { server: this.url, "certificate-authority-data": btoa(this.caPem) };
    const name = "x402-test";
    await this.#write(
      "kubeconfig",
      JSON.stringify({
        apiVersion: "v1",
        kind: "Config",
        clusters: [{ name, cluster }],
        users: [{ name, user: { token: this.adminToken } }],
        contexts: [{ name, context: { cluster: name, user: name, namespace: "default" } }],
        "current-context": name,
      }),
    );
  }

  #write(name: string, text: string): Promise<void> {
    return Deno.writeTextFile(join(this.folder, name), text, { mode: 0o600 });
  }
}
