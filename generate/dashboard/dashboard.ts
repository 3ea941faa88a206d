import { facilitators, latency, money, traffic } from "./money_rows.ts";
import type { Panel, Query, Row } from "./panel.ts";
import { cluster, saturation } from "./system_rows.ts";

/** From top to bottom. */
const rows: readonly Row[] = [money, traffic, latency, facilitators, saturation, cluster];

const datasource = { type: "prometheus", uid: "${datasource}" };
/** Of 24 columns; rows of panels have three. */
const width = 8;
const heights = { stat: 4, timeseries: 8 };

/** For Grafana from version 10 on, as one JSON file. */
export function dashboardFile(): string {
  return JSON.stringify(dashboard(), null, 2) + "\n";
}

function dashboard() {
  return {
    title: "x402-k8s-operator",
    description: "What is charged, for what, and whether it works. Generated; do not edit.",
    uid: "x402-k8s-operator",
    tags: ["x402"],
    schemaVersion: 39,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: "30s",
    time: { from: "now-6h", to: "now" },
    timezone: "",
    annotations: { list: [] },
    templating: { list: variables },
    panels: laidOut(),
  };
}

const variables = [
  { name: "datasource", label: "Prometheus", type: "datasource", query: "prometheus" },
  // All of these jobs, not all there are: processes of others have a memory as well.
  listed("job", "Job", "label_values(x402_build_info, job)"),
  {
    ...listed(
      "namespace",
      "Namespace",
      'label_values(x402_requests_total{job=~"$job"}, namespace)',
    ),
    allValue: ".*",
  },
  {
    ...listed(
      "route",
      "X402Route",
      'label_values(x402_requests_total{job=~"$job", namespace=~"$namespace"}, route_name)',
    ),
    allValue: ".*",
  },
];

function listed(name: string, label: string, query: string) {
  return {
    name,
    label,
    type: "query",
    datasource,
    definition: query,
    query: { query, refId: name },
    refresh: 2,
    sort: 1,
    multi: true,
    includeAll: true,
    current: { text: ["All"], value: ["$__all"] },
  };
}

/** Rows of panels below each other, each as high as its panels. */
function laidOut() {
  const panels: object[] = [];
  let y = 0;
  let id = 1;
  for (const { title, panels: ofRow } of rows) {
    const gridPos = { h: 1, w: 24, x: 0, y: y++ };
    panels.push({ id: id++, type: "row", title, collapsed: false, gridPos, panels: [] });
    for (const type of ["stat", "timeseries"] as const) {
      const some = ofRow.filter((panel) => (panel.type ?? "timeseries") === type);
      const h = heights[type];
      some.forEach((panel, i) => {
        const place = { h, w: width, x: width * (i % 3), y: y + h * Math.floor(i / 3) };
        panels.push({ id: id++, ...grafanaPanel(panel), gridPos: place });
      });
      y += h * Math.ceil(some.length / 3);
    }
  }
  return panels;
}

function grafanaPanel(panel: Panel) {
  const { title, about, unit, bad, type = "timeseries", queries } = panel;
  const steps = [
    { color: "green", value: null },
    ...(bad === undefined ? [] : [{ color: "red", value: bad }]),
  ];
  return {
    type,
    title,
    ...(about !== undefined && { description: about }),
    datasource,
    fieldConfig: {
      defaults: { unit, min: 0, thresholds: { mode: "absolute", steps } },
      overrides: [],
    },
    options: type === "stat" ? statOptions : graphOptions,
    targets: queries.map((query, i) => target(query, i, type)),
  };
}

const statOptions = {
  reduceOptions: { calcs: ["lastNotNull"], fields: "", values: false },
  colorMode: "value",
  graphMode: "none",
  textMode: "value_and_name",
};

const graphOptions = {
  legend: { displayMode: "list", placement: "bottom", showLegend: true },
  tooltip: { mode: "multi", sort: "desc" },
};

function target([expr, legendFormat]: Query, index: number, type: string) {
  const refId = "ABCDEF"[index]!;
  // One number of a stat is that of now; a graph asks for a range.
  const instant = type === "stat" ? { instant: true, range: false } : { range: true };
  return { refId, datasource, expr, legendFormat, ...instant };
}
