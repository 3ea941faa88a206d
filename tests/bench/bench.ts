/**
 * `deno task bench [--json] [--only NAME_PART] [--rounds N] [--seconds N]`: what the gateway costs,
 * next to nginx and what else is installed. Speed is printed, never asserted: the exit code is 0
 * whatever it is, and 1 only when a reply is wrong. `X402_BENCH_GATEWAY` names another program than
 * the source, such as a bundle, with its arguments, separated by spaces.
 */
import { parseArgs } from "node:util";
import { barsOf } from "./bars.ts";
import { BenchServers } from "./bench_servers.ts";
import { ledgerName, measureLedger } from "./ledger_rows.ts";
import { LoadClient } from "./load_client.ts";
import { loadMeasures } from "./load_measures.ts";
import { type Effort, measureLoads } from "./load_rounds.ts";
import type { MeasureResult } from "./measure_result.ts";
import { barLine, measureLine, renderReport } from "./report.ts";
import { measureStart, startOfAllCores, startOfOne } from "./start_up.ts";
import { download, measureTransfers, upload } from "./transfers.ts";

/** Starts of the gateway at most: they take long and differ little. */
const maxStarts = 3;

/** Measures whose name has `only` in it, with the ones of nginx that they are compared with. */
async function measure(only: string, effort: Effort): Promise<MeasureResult[]> {
  const wanted = (name: string) => name.toLowerCase().includes(only.toLowerCase());
  await using servers = new BenchServers((line) => void say(line));
  await using client = await LoadClient.start();
  const results: MeasureResult[] = [];
  // First what wants a quiet machine: the servers of the loads are not started yet.
  const starts = Math.min(maxStarts, effort.rounds);
  if (wanted(startOfOne)) {
    results.push(await measureStart(startOfOne, await servers.oneWorker(), starts, servers));
  }
  if (wanted(startOfAllCores) && (await servers.oneWorker()).length > 0) {
    results.push(await measureStart(startOfAllCores, [], starts, servers));
  }
  const transfers = [download, upload].filter(wanted);
  if (transfers.length > 0) results.push(...await measureTransfers(transfers, servers));
  const all = loadMeasures();
  const loads = all.filter(({ name }) => wanted(name));
  const references = new Set(loads.map(({ reference }) => reference));
  const measured = all.filter((load) => loads.includes(load) || references.has(load.name));
  if (measured.length > 0) {
    await say(`${measured.length} loads in ${effort.rounds} rounds of ${effort.seconds} s`);
  }
  results.push(...await measureLoads(measured, servers, client, effort));
  for (const rows of [1, 1_000_000]) {
    if (wanted(ledgerName(rows))) results.push(await measureLedger(rows));
  }
  return results;
}

function positive(flag: string, text: string): number {
  const value = Number(text);
  if (value > 0 && value < Infinity) return value;
  throw new Error(`${flag} is ${text}, but has to be a number above 0.`);
}

async function say(line: string): Promise<void> {
  await Deno.stderr.write(new TextEncoder().encode(`${line}\n`));
}

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    only: { type: "string", default: "" },
    // Many short rounds: on a machine that others use, a median of few long ones says less.
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "0.6" },
  },
});
try {
  const effort = {
    rounds: Math.ceil(positive("--rounds", values.rounds)),
    seconds: positive("--seconds", values.seconds),
  };
  const results = await measure(values.only, effort);
  const bars = barsOf(results);
  const text = values.json
    ? [...results.map((result) => measureLine(result, results)), ...bars.map(barLine)].join("\n")
    : renderReport(results, bars);
  await new Blob([text, "\n"]).stream().pipeTo(Deno.stdout.writable);
} catch (error) {
  await say(`The benchmark failed: ${(error as Error).message}`);
  Deno.exitCode = 1;
}
