/**
 * `deno task fuzz [count] [--seed N] [--only N]`: generated requests through a gateway, and everything
 * that reaches its backend held against an oracle. Exit code 1 when there are findings.
 */
import { parseArgs } from "node:util";
import type { Flight } from "./flight.ts";
import { describeFindings, startFuzzBed } from "./fuzz_run.ts";
import { byteByByte, differences, flyNamed, halves, unexpected, whole } from "./named_run.ts";
import { generateFlight } from "./generate_flight.ts";
import { Random } from "./random.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: "string" }, only: { type: "string" } },
});
const count = Number(positionals[0] ?? 200_000);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const only = values.only === undefined ? undefined : Number(values.only);
/** As many as keep both ends busy; quiet ones cost nothing. */
const connections = 64;
const start = performance.now();
/** Numbers that no generated flight of a run has. */
const namedFlights = 9_000_000;
/** How often each named case is cut in two somewhere. */
const cutRounds = 5;
const random = new Random(seed);
let requests = 0;

function* flights(): Generator<Flight> {
  if (only !== undefined) return yield generateFlight(seed, only);
  for (let number = 0; requests < count; number++) {
    const flight = generateFlight(seed, number);
    requests += Math.max(1, flight.strict.messages.length);
    if (number % 10_000 === 9_999) say(`${requests} requests`);
    yield flight;
  }
}

function cutAnywhere(text: string): string[] {
  return halves(random.below(text.length))(text);
}

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

say(`seed ${seed}`);
const bed = startFuzzBed();
const faults: string[] = [];
if (only === undefined) {
  const atOnce = await flyNamed(bed, whole, namedFlights);
  const inBytes = await flyNamed(bed, byteByByte, namedFlights + atOnce.length);
  faults.push(...unexpected(atOnce), ...differences(atOnce, inBytes));
  for (let round = 2; round < 2 + cutRounds; round++) {
    const cut = await flyNamed(bed, cutAnywhere, namedFlights + round * atOnce.length);
    faults.push(...differences(atOnce, cut));
  }
  say(`${atOnce.length} named cases`);
}
await bed.fly(flights(), connections);
await bed[Symbol.asyncDispose]();
const { findings, arrivals } = bed.judge;
const seconds = Math.round((performance.now() - start) / 1000);
say(
  `${requests} requests in ${seconds} s, ${arrivals} reached the backend, ${findings.length} findings`,
);
for (const fault of faults) say(fault);
if (findings.length + faults.length > 0) {
  say(describeFindings(findings));
  say(`again: deno task fuzz ${count} --seed ${seed}`);
  Deno.exit(1);
}
