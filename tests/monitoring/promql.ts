/** What PromQL expressions are about, by Prometheus' own parser. */
import { findPrometheus, type PrometheusPrograms } from "../cluster/prometheus_assets.ts";
import { testUnless } from "../cluster/test_requirement.ts";

export interface Matcher {
  readonly label: string;
  readonly op: "=" | "!=" | "=~" | "!~";
  readonly value: string;
}

export interface Selector {
  readonly metric: string;
  readonly matchers: readonly Matcher[];
}

/** What one expression asks for. */
export interface ExpressionUses {
  /** Of the parser; then there is nothing else. */
  readonly error?: string;
  readonly selectors: readonly Selector[];
  /** Labels that these metrics have to have, because series are grouped or matched by them. */
  readonly groupings: readonly {
    readonly metrics: readonly string[];
    readonly labels: readonly string[];
  }[];
}

const programs = await findPrometheus();
const missing = programs === undefined
  ? "promtool is not there; `deno task cluster:assets` builds it once."
  : undefined;

/** A test that needs promtool and the parser; left out, and told of, where they are not there. */
export function promtoolTest(name: string, test: (programs: PrometheusPrograms) => Promise<void>) {
  testUnless(missing, name, () => test(programs!));
}

export async function usesOf(expressions: readonly string[]): Promise<ExpressionUses[]> {
  const { stdout } = await run(programs!.expressions, [], JSON.stringify(expressions));
  return JSON.parse(stdout);
}

export async function run(program: string, args: readonly string[], input = "") {
  const child = new Deno.Command(program, {
    args: [...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input)).then(() => writer.close(), () => {});
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}
