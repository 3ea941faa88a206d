/** The expressions of the dashboard and of the alerts. */
import { parse } from "yaml";

const chart = new URL("../../deploy/chart/", import.meta.url);

export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface Dashboard {
  readonly templating: { readonly list: readonly { readonly name: string }[] };
  readonly panels: readonly DashboardPanel[];
}

export interface DashboardPanel {
  readonly type: string;
  readonly title: string;
  readonly gridPos: Readonly<Record<"x" | "y" | "w" | "h", number>>;
  readonly fieldConfig?: { readonly defaults: { readonly unit: string } };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

export const alertsFile = new URL("alerts/x402.yaml", chart);

export async function alertRules(): Promise<AlertRule[]> {
  const { groups } = parse(await Deno.readTextFile(alertsFile));
  return groups.flatMap(({ rules }: { rules: AlertRule[] }) => rules);
}

export async function dashboard(): Promise<Dashboard> {
  return JSON.parse(await Deno.readTextFile(new URL("dashboards/x402.json", chart)));
}

/** As Grafana sends it to Prometheus with everything selected. */
export function filledIn(expr: string): string {
  return expr.replaceAll("$__rate_interval", "5m").replaceAll("$__range", "1h")
    .replace(/"\$\w+"/g, '".*"');
}
