import { type ChartValue } from "./chart_values.ts";

/** A JSON Schema (draft 7), which Helm checks values against. */
type Schema = {
  [keyword: string]: unknown;
  properties?: Record<string, Schema>;
  required?: string[];
};

const text = { type: "string" };
const texts = { type: "array", items: text };
const labels = { type: "object", additionalProperties: text };
const objects = { type: "array", items: { type: "object" } };
const time = { type: "string", pattern: "^[0-9]{1,8}(ms|s|m|h)$" };
const amountOrShare = {
  anyOf: [
    { type: "integer", minimum: 0 },
    { type: "string", pattern: "^[0-9]{1,3}%$" },
    { type: "null" },
  ],
};
const labelText = "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$";
const namespaces = { type: "array", uniqueItems: true, items: { ...text, pattern: labelText } };
const free = { type: "object" };

/** What cannot be told from the default. */
const special: Readonly<Record<string, Schema>> = {
  commonLabels: labels,
  replicas: { type: "integer", minimum: 0 },
  "image.repository": { ...text, minLength: 1 },
  "image.digest": { ...text, pattern: "^(sha256:[0-9a-f]{64})?$" },
  "image.pullPolicy": { enum: ["Always", "IfNotPresent", "Never"] },
  imagePullSecrets: { type: "array", items: { ...labels, required: ["name"] } },
  "serviceAccount.annotations": labels,
  watchNamespaces: namespaces,
  "log.level": { enum: ["debug", "info", "warn", "error"] },
  trustedProxies: texts,
  workers: { type: "integer", minimum: 1 },
  shutdownDelay: time,
  drainTimeout: time,
  terminationGracePeriodSeconds: { type: ["integer", "null"], minimum: 1 },
  "ledger.type": { enum: ["sqlite", "postgres", "memory"] },
  "ledger.retention": { ...text, pattern: "^(forever|[0-9]{1,5}(h|d))$" },
  "ledger.sqlite.size": { ...text, pattern: "^[1-9][0-9]*(Mi|Gi|Ti|M|G|T)$" },
  "ledger.sqlite.sync": { enum: ["normal", "full"] },
  "facilitator.allowedHosts": texts,
  rpcUrls: { type: "object", additionalProperties: { ...text, pattern: "^https?://" } },
  "otel.endpoint": { ...text, pattern: "^(https?://.+)?$" },
  "service.type": { enum: ["ClusterIP", "NodePort", "LoadBalancer"] },
  "service.annotations": labels,
  "service.ipFamilyPolicy": { enum: ["", "SingleStack", "PreferDualStack", "RequireDualStack"] },
  "metrics.service.annotations": labels,
  "metrics.serviceMonitor.labels": labels,
  "metrics.serviceMonitor.interval": { ...text, pattern: "^[0-9]+(ms|s|m|h)$" },
  "metrics.prometheusRule.labels": labels,
  "metrics.dashboards.labels": labels,
  "metrics.dashboards.annotations": labels,
  resources: free,
  podSecurityContext: free,
  securityContext: free,
  "probes.startup": free,
  "probes.readiness": free,
  "probes.liveness": free,
  "podDisruptionBudget.minAvailable": amountOrShare,
  "podDisruptionBudget.maxUnavailable": amountOrShare,
  topologySpreadConstraints: objects,
  "autoscaling.minReplicas": { type: "integer", minimum: 1 },
  "autoscaling.maxReplicas": { type: "integer", minimum: 1 },
  "autoscaling.targetCPUUtilizationPercentage": { type: "integer", minimum: 1 },
  "autoscaling.behavior": free,
  "networkPolicy.gatewayFrom": objects,
  "networkPolicy.metricsFrom": objects,
  "networkPolicy.egress": objects,
  "uninstall.timeoutSeconds": { type: "integer", minimum: 120 },
  extraArgs: { type: "array", items: { ...text, minLength: 1 } },
  extraEnv: { type: "array", items: { type: "object", required: ["name"] } },
  extraVolumes: { type: "array", items: { type: "object", required: ["name"] } },
  extraVolumeMounts: {
    type: "array",
    items: { type: "object", required: ["name", "mountPath"] },
  },
  podAnnotations: labels,
  podLabels: labels,
  nodeSelector: labels,
  tolerations: objects,
  affinity: free,
};

/**
 * The chart's values.schema.json: no value that the chart does not know, because one with a typing
 * error would be left out without a word.
 *
 * @throws {Error} when a value has no type
 */
export function chartSchema(values: readonly ChartValue[]): string {
  const root: Schema = {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Values of the chart x402-k8s-operator",
    ...group(),
  };
  // Where this chart is part of another, Helm gives these to all of them.
  root.properties!.global = { type: "object" };
  root.properties!.enabled = {
    type: "boolean",
    description: "Means nothing here: for the `condition` of a chart that depends on this one.",
  };
  for (const value of values) {
    const keys = value.path.split(".");
    const name = keys.pop()!;
    const parent = keys.reduce((schema, key) => schema.properties![key]!, root);
    parent.properties![name] = schemaOf(value);
    // Helm takes null for "leave it out": templates would see nothing where they need something.
    if (value.initial !== null) parent.required!.push(name);
  }
  const unknown = Object.keys(special).filter((path) => !values.some((it) => it.path === path));
  if (unknown.length > 0) throw new Error(`values.yaml has no ${unknown.join(", ")}.`);
  return JSON.stringify(root, null, 2) + "\n";
}

function schemaOf({ path, description, initial }: ChartValue): Schema {
  const about = { ...(description && { description }) };
  const isGroup = description === undefined && special[path] === undefined;
  if (isGroup) return { ...group() };
  const type = special[path] ?? typeOf(initial);
  if (type === undefined) throw new Error(`${path}: the schema of this value is not known.`);
  return { ...about, ...type, default: initial };
}

function group(): Schema {
  return { type: "object", additionalProperties: false, properties: {}, required: [] };
}

function typeOf(initial: unknown): Schema | undefined {
  if (typeof initial === "string") return text;
  if (typeof initial === "boolean") return { type: "boolean" };
  return undefined;
}
