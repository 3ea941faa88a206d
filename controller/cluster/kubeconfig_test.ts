import assert from "node:assert/strict";
import { join } from "node:path";
import { kubeconfigConnection } from "./kubeconfig.ts";

const cluster = { server: "https://127.0.0.1:6443" };
const user = { token: "secret" };

Deno.test("a context gives the server, namespace and token", async () => {
  await withFiles(
    [config({ cluster: { server: "https://api.example/" }, user })],
    async (files) => {
      const connection = await kubeconfigConnection(files);
      using _ = connection.client;
      assert.equal(connection.server, "https://api.example");
      assert.equal(connection.namespace, "shop");
      assert.deepEqual(await connection.headers(), [["Authorization", "Bearer secret"]]);
    },
  );
});

Deno.test("of several files the first current context counts, unless one is named", async () => {
  const files = [
    config({ name: "first", cluster, user: { token: "1" }, current: undefined }),
    config({ name: "second", cluster, user: { token: "2" } }),
    config({ name: "third", cluster, user: { token: "3" } }),
  ];
  await withFiles(files, async (files) => {
    for (const [context, token] of [[undefined, "2"], ["first", "1"], ["third", "3"]] as const) {
      const connection = await kubeconfigConnection(files, context);
      using _ = connection.client;
      assert.deepEqual(await connection.headers(), [["Authorization", `Bearer ${token}`]]);
    }
  });
});

Deno.test("an exec plugin is asked again only when its token is refused", async () => {
  const folder = Deno.makeTempDirSync();
  const counter = join(folder, "calls");
  const script = `echo x >> ${counter}; n=$(wc -l < ${counter}); ` +
    `echo '{"kind":"ExecCredential","status":{"token":"'$((n + 0))'"}}'`;
  const exec = {
    apiVersion: "client.authentication.k8s.io/v1",
    command: "sh",
    args: ["-c", script],
  };
  await withFiles([config({ cluster, user: { exec } })], async (files) => {
    const connection = await kubeconfigConnection(files);
    using _ = connection.client;
    const token = async () => (await connection.headers())[0]![1];
    assert.deepEqual([await token(), await token()], ["Bearer 1", "Bearer 1"]);
    connection.forgetHeaders();
    assert.deepEqual([await token(), await token()], ["Bearer 2", "Bearer 2"]);
  });
  Deno.removeSync(folder, { recursive: true });
});

const refusals: readonly [what: string, text: string, message: RegExp][] = [
  [
    "insecure-skip-tls-verify",
    config({ cluster: { ...cluster, "insecure-skip-tls-verify": true }, user }),
    /^The context "one" in .* has insecure-skip-tls-verify; give .* certificate-authority instead\.$/,
  ],
  [
    "tls-server-name",
    config({ cluster: { ...cluster, "tls-server-name": "kubernetes" }, user }),
    /has tls-server-name; use a server address that its certificate is for\.$/,
  ],
  [
    "proxy-url",
    config({ cluster: { ...cluster, "proxy-url": "http://proxy:3128" }, user }),
    /has proxy-url; set HTTPS_PROXY in the environment instead\.$/,
  ],
  [
    "plain HTTP",
    config({ cluster: { server: "http://127.0.0.1:8001" }, user }),
    /has the server http:\/\/127\.0\.0\.1:8001; it has to be an https:\/\/ address\.$/,
  ],
  [
    "a password",
    config({ cluster, user: { username: "admin", password: "admin" } }),
    /has a user with a password; API servers take no passwords any more\.$/,
  ],
  [
    "a user without credentials",
    config({ cluster, user: { tokenFile: "token" } }),
    /has a user without a token, client certificate or exec plugin; add one of these\.$/,
  ],
  [
    "a context that is not there",
    config({ cluster, user, current: "two" }),
    /^There is no context "two" in .*; there is: one\.$/,
  ],
  ["no context", "{}", /^There is no context "" in .*; there is: none\.$/],
  [
    "a cluster that is not there",
    config({ cluster, user }).replace('"clusters"', '"other"'),
    /^There is no cluster "one" in .*, as its context says\.$/,
  ],
  [
    "a user that is not there",
    config({ cluster, user }).replace('"users"', '"other"'),
    /^There is no user "one" in .*\.$/,
  ],
  [
    "no YAML",
    "token: [secret\nb",
    /^Cannot use the kubeconfig [^ ]*: deficient indentation \(2:1\)\.$/,
  ],
  ["nothing", "", /^Cannot use the kubeconfig [^ ]*: .* the input is empty\.$/],
  [
    "a certificate file that is not there",
    config({ cluster: { ...cluster, "certificate-authority": "ca.crt" }, user }),
    /^The credentials in .* cannot be used: ENOENT: .*ca\.crt/,
  ],
  [
    "a client certificate that is none",
    config({
      cluster,
      user: { "client-certificate-data": btoa("none"), "client-key-data": btoa("none") },
    }),
    /^The certificates in .* cannot be used: .*\.$/,
  ],
  [
    "an exec plugin that fails",
    config({ cluster, user: { exec: { command: "sh", args: ["-c", "echo log in >&2; exit 1"] } } }),
    /^The credentials in .* cannot be used: log in\.$/,
  ],
];

for (const [what, text, message] of refusals) {
  Deno.test(`a kubeconfig with ${what} is refused in one sentence`, async () => {
    await withFiles([text], async (files) => {
      await assert.rejects(kubeconfigConnection(files), { message });
    });
  });
}

Deno.test("a kubeconfig that is not there is told by its name", async () => {
  await assert.rejects(kubeconfigConnection(["/nowhere/config"]), {
    message: /^Cannot use the kubeconfig \/nowhere\/config: ENOENT/,
  });
});

/** One context with its own cluster and user, all of one name. JSON is YAML. */
function config(options: {
  readonly cluster: object;
  readonly user: object;
  readonly name?: string;
  readonly current?: string | undefined;
}): string {
  const { name = "one", cluster, user } = options;
  return JSON.stringify({
    clusters: [{ name, cluster }],
    users: [{ name, user }],
    contexts: [{ name, context: { cluster: name, user: name, namespace: "shop" } }],
    "current-context": "current" in options ? options.current : name,
  });
}

async function withFiles(
  texts: readonly string[],
  run: (files: string[]) => Promise<void>,
): Promise<void> {
  const folder = Deno.makeTempDirSync();
  const files = texts.map((text, n) => {
    const file = join(folder, `config${n}`);
    Deno.writeTextFileSync(file, text);
    return file;
  });
  await run(files);
  Deno.removeSync(folder, { recursive: true });
}
