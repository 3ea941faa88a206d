/**
 * `deno task soak [SECONDS [SEED [FLAGS OF gateway ...]]]`: the gateway under a mixed load while
 * routes are swapped and what is behind it fails. Prints what was seen; the exit code is 1 if anything
 * was not as it should be. The seed repeats the choices of a run, not its timing.
 */
import { runSoak } from "./run_soak.ts";
import { summaryOf } from "./summary.ts";

const [given, givenSeed, ...flags] = Deno.args;
const seconds = Number(given ?? 60);
const seed = Number(givenSeed ?? Math.floor(Math.random() * 2 ** 31));
if (!(seconds >= 5) || !Number.isInteger(seed)) {
  await print("Usage: deno task soak [SECONDS, at least 5 [SEED [FLAGS OF gateway ...]]]");
  Deno.exit(2);
}
await print(`A soak of ${seconds} s, seed ${seed}.`);
const report = await runSoak({ seconds, seed, flags });
await print(summaryOf(report));
Deno.exit(report.journal.violationCount === 0 ? 0 : 1);

async function print(text: string): Promise<void> {
  await new Blob([text, "\n"]).stream().pipeTo(Deno.stdout.writable, { preventClose: true });
}
