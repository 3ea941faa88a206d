import type { ManifestPlan, PathPreview, PlanPreview, RulePreview } from "../controller/mod.ts";
import { diagnosticLine } from "./diagnostic_lines.ts";
import { printable } from "./pay_terminal.ts";

/** A plan for a person to read; lines end with a newline. */
export function planText({ preview, diagnostics }: ManifestPlan): string {
  const sections = [
    ...preview.ingresses.map(ingressLines),
    routeLines(preview),
    unchangedLines(preview),
    writeLines(preview),
    diagnostics.map(diagnosticLine),
  ].filter((lines) => lines.length > 0);
  if (sections.length === 0) return "Nothing is charged for.\n";
  // What others have written must not move the cursor.
  return sections.map((lines) => lines.map(printable).join("\n")).join("\n\n") + "\n";
}

function ingressLines({ namespace, name, paths }: PlanPreview["ingresses"][number]): string[] {
  return [`Ingress ${namespace}/${name}`, ...paths.flatMap(pathLines)];
}

function pathLines(path: PathPreview): string[] {
  const where = `${path.host || "(every host)"}${path.path}`;
  const heading = `  ${where}  (${path.pathType})  ${wayOf(path)}`;
  if (path.then === "backend") return [heading];
  const rows = path.rules.flatMap(ruleRows);
  if (path.hasFreeRest) rows.push(["everything else", "free", ""]);
  return [heading, ...aligned(rows).map((row) => `      ${row}`)];
}

function wayOf({ backend = "what its rules say", now, then }: PathPreview): string {
  const way = then === "gateway" ? `through the gateway to ${backend}` : `straight to ${backend}`;
  if (now === undefined || now === then) return way;
  return `${way}  <- changes, now ${now === "gateway" ? "through the gateway" : "straight there"}`;
}

function ruleRows(rule: RulePreview): string[][] {
  const { pattern, methods, route, access, price, token, conditions } = rule;
  const requests = methods === undefined ? pattern : `${methods.join(",")} ${pattern}`;
  const cost = `${price} ${token}`;
  if (access !== "paid") {
    return [[requests, access === "free" ? "free" : "blocked (503)", route]];
  }
  if (conditions === undefined) return [[requests, cost, route]];
  return [
    [requests, `${cost} or free:`, route],
    ...conditions.map(({ header, pattern, action }) => [
      `  ${header}: ${pattern}`,
      action === "pay" ? cost : "free",
      "",
    ]),
    ["  otherwise", rule.otherwise === "pay" ? cost : "free", ""],
  ];
}

function routeLines({ routes, ingresses }: PlanPreview): string[] {
  const rules = ingresses.flatMap(({ paths }) => paths.flatMap((path) => path.rules));
  return routes.map(({ namespace, name, inForce, activeRoutes }) => {
    const route = `${namespace}/${name}`;
    const paid = rules.find((rule) => rule.route === route && rule.access === "paid");
    const terms = paid === undefined
      ? ""
      : `, paid in ${paid.token} on ${paid.network} to ${paid.payTo}`;
    const count = `${activeRoutes} rule${activeRoutes === 1 ? "" : "s"}`;
    return `X402Route ${route}: ${count}, in force: ${inForce}${terms}`;
  });
}

function unchangedLines({ unchanged }: PlanPreview): string[] {
  if (unchanged === undefined || unchanged.ingresses + unchanged.routes === 0) return [];
  const { ingresses, routes } = unchanged;
  return [
    `The same without these manifests, and shown with --all: ${ingresses} ` +
    `Ingress${ingresses === 1 ? "" : "es"}, ${routes} X402Route${routes === 1 ? "" : "s"}.`,
  ];
}

function writeLines({ writes }: PlanPreview): string[] {
  if (writes === undefined) return [];
  if (writes.length === 0) return ["The operator would write nothing."];
  const rows = writes.map(({ verb, resource, namespace, name, note }) => [
    verb,
    `${resource} ${namespace}/${name}`,
    note,
  ]);
  return ["The operator would write:", ...aligned(rows).map((row) => `  ${row}`)];
}

/** All columns but the last as wide as their widest cell. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  const widths = rows[0]?.map((_, column) => width(column)) ?? [];
  return rows.map((row) =>
    row.map((cell, column) => cell.padEnd(widths[column]!)).join("  ").trimEnd()
  );
}
