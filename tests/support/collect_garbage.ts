import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

/** Collects a few times in a row, with turns of the event loop between: 100 ms in all. */
export async function collectGarbage(): Promise<void> {
  for (let round = 0; round < 5; round++) {
    await new Promise((next) => setTimeout(next, 20));
    collect();
  }
}
