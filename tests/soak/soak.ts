/**
 * `deno task soak [SECONDS] [SEED]`: the gateway under a mixed load while routes are swapped and
 * what is behind it fails. Prints what was seen; the exit code is 1 if anything was not as it should
 * be. The seed repeats the choices of a run, not its timing.
 */
import { runSoak } from "./run_soak.ts";
import { summaryOf } from "./summary.ts";

const [seconds = 60, seed = Math.floor(Math.random() * 2 ** 31)] = Deno.args.map(Number);
if (!(seconds >= 5) || !Number.isInteger(seed)) {
  await print("Usage: deno task soak [SECONDS, at least 5] [SEED]");
  Deno.exit(2);
}
await print(`A soak of ${seconds} s, seed ${seed}.`);
const report = await runSoak({ seconds, seed });
await print(summaryOf(report));
Deno.exit(report.journal.violationCount === 0 ? 0 : 1);

async function print(text: string): Promise<void> {
  await new Blob([text, "\n"]).stream().pipeTo(Deno.stdout.writable, { preventClose: true });
}
