/** What users make of an Ingress that is patched, while the operator runs and while it is down. */
import assert from "node:assert/strict";
import { ApiError } from "./kube_http.ts";
import {
  backendsByPath,
  ingress,
  type IngressPaths,
  ingressPaths,
  postsCost,
  throughGateway,
} from "./operator_manifests.ts";
import { inAllCases, Scenario } from "./operator_scenario.ts";
import { clusterTest } from "./test_cluster.ts";

const annotation = "x402.io/original-backends";

/** The Ingress `web` as the user writes it; what is below `/api` costs something. */
const written: IngressPaths = { "/api": "api", "/api/v1": "api", "/docs": "site", "/shop": "site" };

interface Edit {
  readonly what: string;
  edit(scenario: Scenario): Promise<unknown>;
  /** What the user means by it. */
  readonly means: IngressPaths;
  readonly charged: readonly string[];
  /** Answers to GET and POST at the gateway. */
  readonly looks?: Readonly<Record<string, string>>;
  /** Only the running operator knows what is lost by it. */
  readonly runningOnly?: true;
}

const edits: readonly Edit[] = [
  {
    what: "applies the original again",
    edit: (scenario) => scenario.applyIngress("web", written),
    means: written,
    charged: ["/api", "/api/v1"],
  },
  {
    what: "replaces it by the original, without the annotation",
    edit: ({ admin, namespace, host }) =>
      admin.replace(ingress(namespace, "web", { [host]: written })),
    means: written,
    charged: ["/api", "/api/v1"],
  },
  {
    what: "adds paths",
    edit: (scenario) => editPaths(scenario, { "/api/v2": "site", "/new": "api" }),
    means: { ...written, "/api/v2": "site", "/new": "api" },
    charged: ["/api", "/api/v1", "/api/v2"],
    looks: { "/api/v2/x": "site 402" },
  },
  {
    what: "removes a path that is patched and one that is not",
    edit: (scenario) => editPaths(scenario, { "/api/v1": undefined, "/docs": undefined }),
    means: { "/api": "api", "/shop": "site" },
    charged: ["/api"],
    looks: { "/api/v1/x": "api 402" },
  },
  {
    what: "gives a patched path another backend",
    edit: (scenario) => editPaths(scenario, { "/api": "site", "/docs": "api" }),
    means: { ...written, "/api": "site", "/docs": "api" },
    charged: ["/api", "/api/v1"],
    looks: { "/api/x": "site 402", "/api/v1/x": "api 402" },
  },
  {
    what: "renames a patched path and leaves the gateway where it stands",
    edit: async (scenario) => {
      const { rules } = await liveSpec(scenario);
      rules![0]!.http!.paths[1]!.path = "/api/v3";
      await replaceRules(scenario, rules);
    },
    means: { "/api": "api", "/api/v3": "api", "/docs": "site", "/shop": "site" },
    charged: ["/api", "/api/v3"],
    looks: { "/api/v3/x": "api 402" },
  },
  {
    what: "deletes the Ingress and creates it again",
    edit: async (scenario) => {
      await scenario.delete("Ingress", "web");
      await scenario.applyIngress("web", written);
    },
    means: written,
    charged: ["/api", "/api/v1"],
  },
  {
    what: "makes the rule free",
    edit: (scenario) => scenario.applyRoute("prices", { rules: [{ path: "/api/**", free: true }] }),
    means: written,
    charged: [],
  },
  {
    what: "narrows the rule",
    edit: (scenario) => scenario.applyRoute("prices", { rules: [postsCost("/api/v1/**")] }),
    means: written,
    charged: ["/api", "/api/v1"],
    looks: { "/api/v1/x": "api 402", "/api/x": "api api" },
  },
  {
    what: "adds a second X402Route and deletes the first",
    edit: async (scenario) => {
      await scenario.applyRoute("docs", { rules: [postsCost("/docs/**")] });
      await scenario.delete("X402Route", "prices");
    },
    means: written,
    charged: ["/docs"],
    looks: { "/docs/x": "site 402" },
  },
  {
    what: "deletes the X402Route and applies the original",
    edit: async (scenario) => {
      await scenario.delete("X402Route", "prices");
      await scenario.applyIngress("web", written);
    },
    means: written,
    charged: [],
  },
  {
    what: "deletes the X402Route and does not wait for the finalizer",
    edit: async (scenario) => {
      const route = { namespace: scenario.namespace, name: "prices" };
      await scenario.delete("X402Route", "prices");
      await scenario.admin.patch("X402Route", route, { metadata: { finalizers: null } })
        .catch(alreadyGone);
    },
    means: written,
    charged: [],
  },
  {
    what: "corrupts the annotation",
    edit: (scenario) => annotate(scenario, '{"gateway": 1'),
    means: written,
    charged: ["/api", "/api/v1"],
    runningOnly: true,
  },
  {
    what: "deletes the annotation",
    edit: (scenario) => annotate(scenario, null),
    means: written,
    charged: ["/api", "/api/v1"],
    runningOnly: true,
  },
];

for (const down of [false, true]) {
  const when = down ? "while the operator is down" : "while the operator runs";
  clusterTest(`${when}, what a user writes is never lost`, async (cluster) => {
    await using scenario = await Scenario.start(cluster);
    await using stack = new AsyncDisposableStack();
    const cases = await Promise.all(
      edits.filter(({ runningOnly }) => !down || !runningOnly)
        .map(async (edit) => ({ ...edit, user: stack.use(await scenario.neighbour()) })),
    );
    await inAllCases(cases, async ({ user }) => {
      await user.applyIngress("web", written);
      await user.applyRoute("prices", { rules: [postsCost("/api/**")] });
      await user.untilReady("prices");
      await user.untilBackends("web", patched(written, ["/api", "/api/v1"]));
    });

    if (down) await scenario.operator.stop();
    await inAllCases(cases, async ({ user, edit }) => void await edit(user));
    if (down) await scenario.startOperator();
    await inAllCases(cases, async ({ user, means, charged, looks }) => {
      await user.untilBackends("web", patched(means, charged));
      for (const [path, look] of Object.entries(looks ?? {})) await user.untilLook(path, look);
    });

    if (down) await scenario.operator.stop();
    await inAllCases(cases, ({ user }) => user.admin.deleteAll("X402Route", user.namespace));
    if (down) await scenario.startOperator();
    await inAllCases(cases, async ({ user, means }) => {
      const { admin, namespace, host } = user;
      await admin.waitUntilAll("X402Route", { namespace }, (left) => left.length === 0);
      const restored = await admin.waitUntil(
        "Ingress",
        { namespace, name: "web" },
        (it) => it?.metadata.annotations === undefined,
      );
      assert.deepEqual(restored!.spec, ingress(namespace, "web", { [host]: means }).spec);
    });
  });
}

/** What stands in the Ingress when these of its paths are charged for. */
function patched(paths: IngressPaths, charged: readonly string[]): IngressPaths {
  return { ...paths, ...Object.fromEntries(charged.map((path) => [path, throughGateway])) };
}

async function liveSpec({ admin, namespace }: Scenario) {
  const { spec } = await admin.get("Ingress", { namespace, name: "web" });
  return spec!;
}

/** As with `kubectl edit`: what is not named stays, the gateway included. */
async function editPaths(
  scenario: Scenario,
  changes: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const { rules } = await liveSpec(scenario);
  const paths = { ...backendsByPath(rules![0]!.http!.paths), ...changes };
  const left = Object.entries(paths).filter((entry): entry is [string, string] => !!entry[1]);
  const http = { paths: ingressPaths(Object.fromEntries(left)) };
  await replaceRules(scenario, [{ host: scenario.host, http }]);
}

async function replaceRules({ admin, namespace }: Scenario, value: unknown): Promise<void> {
  const path = "/spec/rules";
  await admin.patch("Ingress", { namespace, name: "web" }, [{ op: "replace", path, value }]);
}

async function annotate({ admin, namespace }: Scenario, value: string | null): Promise<void> {
  const metadata = { annotations: { [annotation]: value } };
  await admin.patch("Ingress", { namespace, name: "web" }, { metadata });
}

function alreadyGone(error: unknown): void {
  if (!(error instanceof ApiError && error.status === 404)) throw error;
}
