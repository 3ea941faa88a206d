import type { ColdStart, Durations } from "./cluster_measures.ts";

/** One figure or group of figures; seconds, ms and MiB as their names say. */
export type ClusterMeasure =
  | { readonly kind: ColdStartKind; readonly shops: number } & ColdStart
  | {
    readonly kind: "steady state";
    readonly seconds: number;
    readonly writes: number;
    readonly cpuSeconds: number;
    readonly apiCalls: Record<string, number>;
  }
  | { readonly kind: "changed price" | "original applied again" } & Durations
  | { readonly kind: "all deleted"; readonly seconds: number }
  | {
    readonly kind: "memory at rest";
    readonly program: string;
    readonly routes: number;
    readonly rssMiB: number;
  };

type ColdStartKind = "cold start" | "cold start, all patched";

/** A measure for people, with what the project asks for. */
export function renderMeasure(measure: ClusterMeasure): string {
  switch (measure.kind) {
    case "cold start":
    case "cold start, all patched":
      return renderColdStart(measure);
    case "steady state": {
      const { seconds, writes, cpuSeconds, apiCalls } = measure;
      return [
        `steady state, ${seconds} s`,
        figure("writes but for the Lease", writes, 0, "", 0),
        figure("CPU", cpuSeconds, 2, "s"),
        `  API calls: ${counts(apiCalls)}`,
      ].join("\n");
    }
    case "changed price":
      return `${measure.kind}, to the first 402 with it\n${durations(measure, "p99", 100)}`;
    case "original applied again":
      return `${measure.kind}, until patched again\n${durations(measure, "max", 200)}`;
    case "all deleted":
      return `all X402Routes deleted, until restored\n${figure("time", measure.seconds, 1, "s")}`;
    case "memory at rest": {
      const { program, routes, rssMiB } = measure;
      return `memory at rest with ${routes} X402Routes\n${
        figure(`RSS from ${program}`, rssMiB, 0, "MiB", 128)
      }`;
    }
  }
}

function renderColdStart(measure: ColdStart & { kind: ColdStartKind; shops: number }): string {
  const { answers: { paid, free, wrong } } = measure;
  return [
    `${measure.kind}: ${measure.shops} X402Routes on as many Ingresses`,
    figure("ready", measure.readySeconds, 2, "s"),
    ...measure.kind === "cold start"
      ? [
        figure("all patched", measure.patchedSeconds, 2, "s", 10),
        figure("settled", measure.settledSeconds, 2, "s"),
      ]
      : [],
    figure("CPU", measure.cpuSeconds, 2, "s", 10),
    figure("peak RSS", measure.peakRssMiB, 0, "MiB"),
    figure("wrong answers", wrong.length, 0, "", 0),
    ...wrong.slice(0, 5).map((sentence) => `    ${sentence}`),
    `  answers, paid paths: ${counts(paid)}; free paths: ${counts(free)}`,
    `  API calls: ${counts(measure.apiCalls)}`,
  ].join("\n");
}

function durations(measure: Durations, judged: "p99" | "max", bar: number): string {
  return (["min", "median", "p99", "max"] as const)
    .map((name) => figure(name, measure[name], 1, "ms", name === judged ? bar : undefined))
    .join("\n") + `\n  of ${measure.samples} samples`;
}

function figure(name: string, value: number, digits: number, unit: string, bar?: number): string {
  const verdict = bar === undefined
    ? ""
    : `  (at most ${bar}: ${value <= bar ? "met" : "NOT met"})`;
  return `  ${`${name}:`.padEnd(26)}${value.toFixed(digits)} ${unit}${verdict}`.trimEnd();
}

function counts(counted: Record<string, number>): string {
  const entries = Object.entries(counted).sort(([a], [b]) => a < b ? -1 : 1);
  return entries.map(([name, count]) => `${count} ${name}`).join(", ") || "none";
}
