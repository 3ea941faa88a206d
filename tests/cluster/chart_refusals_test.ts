/** What the chart refuses, and that its message says what to choose instead. */
import assert from "node:assert/strict";
import { helmTest, template } from "./helm_chart.ts";

const postgres = "ledger.type=postgres,ledger.postgres.existingSecret.name=db";

/** Values that lose money or cannot work, and the sentence. */
const refusals: readonly [values: string, sentence: RegExp][] = [
  ["replicas=2", /replicas is 2 with ledger\.type sqlite: .*; choose ledger\.type postgres, or/],
  ["replicas=3,ledger.type=memory", /replicas is 3 with ledger\.type memory: .*; choose ledger/],
  ["autoscaling.enabled=true", /autoscaling\.enabled is true with ledger\.type sqlite, .*; choose/],
  [
    "autoscaling.enabled=true,ledger.type=memory",
    /autoscaling\.enabled is true with ledger\.type memory, .*; choose ledger\.type postgres, or/,
  ],
  [
    `${postgres},autoscaling.enabled=true,autoscaling.minReplicas=9`,
    /autoscaling\.minReplicas is 9 and autoscaling\.maxReplicas is 6: choose a maximum/,
  ],
  ["ledger.type=postgres", /existingSecret\.name is empty: make a Secret with the URL \(kubectl/],
  [
    "ledger.postgres.existingSecret.name=db",
    /existingSecret\.name is "db" with ledger\.type sqlite, .*; choose ledger\.type postgres, or no/,
  ],
  [
    `${postgres},ledger.sqlite.existingClaim=old`,
    /existingClaim is "old" with ledger\.type postgres, .*; choose ledger\.type sqlite, or no claim/,
  ],
  [
    "terminationGracePeriodSeconds=39",
    /terminationGracePeriodSeconds is 39: shutdownDelay \(5s\) and drainTimeout \(30s\) need at least 40,/,
  ],
  ["drainTimeout=5m,terminationGracePeriodSeconds=60", /is 60: .*\(5m\) need at least 310,/],
  ["shutdownDelay=1500ms,terminationGracePeriodSeconds=36", /\(1500ms\) .* at least 37,/],
  [
    `${postgres},replicas=3,podDisruptionBudget.minAvailable=3`,
    /podDisruptionBudget\.minAvailable is 3 of 3 pods, so no node .*; choose at most 2/,
  ],
  [
    `${postgres},replicas=3,podDisruptionBudget.minAvailable=100%`,
    /minAvailable is 100% of 3 pods/,
  ],
  [
    `${postgres},autoscaling.enabled=true,podDisruptionBudget.minAvailable=2`,
    /minAvailable is 2 of 2 pods/,
  ],
  [
    `${postgres},replicas=3,podDisruptionBudget.maxUnavailable=0`,
    /maxUnavailable is 0, so no node/,
  ],
  [
    `${postgres},replicas=3,podDisruptionBudget.maxUnavailable=1,podDisruptionBudget.minAvailable=1`,
    /minAvailable is 1 and podDisruptionBudget\.maxUnavailable is 1: Kubernetes takes only one/,
  ],
  ["otel.enabled=true", /otel\.enabled is true and otel\.endpoint is empty: give the URL/],
  [
    "otel.enabled=true,otel.endpoint=http://a,image.tag=v9",
    /image\.tag is "v9" with otel\.enabled true: .*; choose v9-tracing, or leave it out/,
  ],
  ["rpcUrls.base=https://a,rpcUrlsSecret.name=b", /rpcUrlsSecret\.name \("b"\) are both given/],
  ["serviceAccount.create=false", /serviceAccount\.name is empty: give the name/],
  [
    "extraArgs={--leader-elect=false}",
    /extraArgs has "--leader-elect=false": leave it out: without its Lease/,
  ],
  ["extraArgs={--leader-elect}", /extraArgs has "--leader-elect": leave it out: without its Lease/],
  ["extraArgs={--ledger=/tmp/own.db}", /extraArgs has "--ledger=\/tmp\/own\.db": set ledger\.type/],
  ["extraArgs={--drain-timeout,10m}", /extraArgs has "--drain-timeout": set drainTimeout instead/],
  [
    "extraEnv[0].name=X402_LEDGER,extraEnv[0].value=/a",
    /extraEnv has X402_LEDGER: set ledger\.type/,
  ],
  [
    "extraEnv[0].name=X402_LEADER_ELECT,extraEnv[0].value=false",
    /extraEnv has X402_LEADER_ELECT: leave it out: without its Lease/,
  ],
];

for (const [values, sentence] of refusals) {
  helmTest(`the chart refuses ${values}`, async () => {
    const { code, stderr } = await template("x402-system", "--set", values);
    assert.equal(code, 1);
    assert.match(stderr, sentence);
  });
}

/** What a value may be, by values.schema.json. */
const schemaRefusals: readonly [values: string, complaint: RegExp][] = [
  ["replica=2", /additional properties 'replica' not allowed/],
  ["ledger.sqllite.size=1Gi", /additional properties 'sqllite' not allowed/],
  ["ledger.type=mysql", /'\/ledger\/type': value must be one of 'sqlite', 'postgres', 'memory'/],
  ["replicas=two", /'\/replicas': got string, want integer/],
  ["shutdownDelay=5", /'\/shutdownDelay': got number, want string/],
  ["drainTimeout=30 s", /'\/drainTimeout': '30 s' does not match pattern/],
  ["log.level=verbose", /'\/log\/level': value must be one of 'debug', 'info', 'warn', 'error'/],
  ["watchNamespaces={Shop}", /'\/watchNamespaces\/0': 'Shop' does not match pattern/],
  ["image.digest=latest", /'\/image\/digest': 'latest' does not match pattern/],
  ["replicas=null", /missing property 'replicas'/],
  ["crds.keep=null", /missing property 'keep'/],
  ["uninstall.timeoutSeconds=30", /'\/uninstall\/timeoutSeconds': minimum: got 30, want 120/],
  ["rpcUrls.base=example.com", /'\/rpcUrls\/base': 'example\.com' does not match pattern/],
];

for (const [values, complaint] of schemaRefusals) {
  helmTest(`values.schema.json refuses ${values}`, async () => {
    const { code, stderr } = await template("x402-system", "--set", values);
    assert.equal(code, 1);
    assert.match(stderr, complaint);
  });
}

helmTest("an unknown ledger is refused without values.schema.json, too", async () => {
  const args = ["--set", "ledger.type=mysql", "--skip-schema-validation"];
  const { code, stderr } = await template("x402-system", ...args);
  assert.equal(code, 1);
  assert.match(stderr, /ledger\.type is "mysql": choose sqlite .*, postgres .* or memory/);
});
