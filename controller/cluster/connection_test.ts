import assert from "node:assert/strict";
import { join } from "node:path";
import { type ConnectionFlags, findConnection } from "./connection.ts";
import { withEnvironment } from "./test_environment.ts";

/** Files of a temporary folder, each a kubeconfig whose only server has the file's name. */
const files = ["flag", "env", "home/.kube/config"];

const cases: readonly [
  what: string,
  flags: Omit<ConnectionFlags, "serviceAccountDir">,
  environment: Readonly<Record<string, string>>,
  server: string | RegExp,
][] = [
  [
    "a kubeconfig that is named comes before all others",
    { kubeconfig: "flag" },
    { KUBERNETES_SERVICE_HOST: "pod", KUBECONFIG: "env", HOME: "home" },
    "https://flag",
  ],
  [
    "a pod uses its own cluster",
    {},
    { KUBERNETES_SERVICE_HOST: "pod", KUBECONFIG: "env", HOME: "home" },
    "https://pod:443",
  ],
  [
    "a context is one of a kubeconfig, also in a pod",
    { context: "env" },
    { KUBERNETES_SERVICE_HOST: "pod", KUBECONFIG: "env", HOME: "home" },
    "https://env",
  ],
  [
    "$KUBECONFIG comes before the home folder",
    {},
    { KUBECONFIG: "env", HOME: "home" },
    "https://env",
  ],
  [
    "files of $KUBECONFIG that are not there are passed over",
    {},
    { KUBECONFIG: "nowhere:env", HOME: "home" },
    "https://env",
  ],
  ["the home folder is looked at last", {}, { HOME: "home" }, "https://home"],
  [
    "what is nowhere is told, with what to do",
    {},
    { HOME: "empty" },
    /^No cluster is configured: .* there is no empty\/\.kube\/config; .* --kubeconfig\.$/,
  ],
];

for (const [what, flags, environment, server] of cases) {
  Deno.test(what, async () => {
    await withFolder(environment, async () => {
      const connecting = findConnection({ ...flags, serviceAccountDir: "account" });
      if (typeof server !== "string") return await assert.rejects(connecting, { message: server });
      const connection = await connecting;
      using _ = connection.client;
      assert.equal(connection.server, server);
    });
  });
}

/** Runs in a folder with kubeconfigs and a ServiceAccount, and with nothing else of the environment. */
async function withFolder(
  environment: Readonly<Record<string, string>>,
  run: () => Promise<void>,
): Promise<void> {
  const folder = Deno.makeTempDirSync();
  const before = Deno.cwd();
  for (const file of files) {
    const name = file.split("/")[0]!;
    Deno.mkdirSync(join(folder, file, ".."), { recursive: true });
    Deno.writeTextFileSync(join(folder, file), kubeconfig(name));
  }
  Deno.mkdirSync(join(folder, "account"));
  for (const name of ["token", "ca.crt", "namespace"]) {
    Deno.writeTextFileSync(join(folder, "account", name), "");
  }
  const nothing = { KUBERNETES_SERVICE_HOST: undefined, KUBECONFIG: undefined };
  const variables = { ...nothing, KUBERNETES_SERVICE_PORT: "443", ...environment };
  Deno.chdir(folder);
  try {
    await withEnvironment(variables, run);
  } finally {
    Deno.chdir(before);
    Deno.removeSync(folder, { recursive: true });
  }
}

function kubeconfig(name: string): string {
  return JSON.stringify({
    clusters: [{ name, cluster: { server: `https://${name}` } }],
    users: [{ name, user: { token: name } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    "current-context": name,
  });
}
