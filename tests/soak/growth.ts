/** Whether a process stays as large as it is once it has warmed up, and what it keeps in the end. */
import type { Journal } from "./journal.ts";
import { handlesOf, type ProcessWatch, tcpSocketsOf, totalOf } from "./process_watch.ts";
import { pause } from "./pause.ts";

/**
 * How a gateway is started whose memory is judged: V8's young generations, up to 48 MiB for each
 * isolate, fill over minutes and look like a leak. With 4 MiB they are full after seconds (measured:
 * 172 MiB from the 4th second on, instead of 250 to 376 in the course of a minute).
 */
export const calmHeap = { DENO_V8_FLAGS: "--max-semi-space-size=4,--max-old-space-size=128" };

/**
 * What it may grow by over the last two thirds of a soak, whatever its length, as heaps breathe by
 * some MiB and handles come and go with clients. A leak grows with the number of requests, so the same
 * bound is the stricter the longer a soak lasts: at 400 requests/s, 16 MiB are 1 KiB a request
 * over a minute, and 18 bytes over an hour. Measured: up to 9 MiB in 12 s, 8 in a minute, 0.3 in five.
 */
export const maxRise = { rssMiB: 16, handles: 12 };

/** Ms that a gateway has to close what nobody uses; longer than the timeouts of the soak. */
const closingMs = 15_000;

/** @returns figures */
export function judgeGrowth(
  watch: ProcessWatch,
  journal: Journal,
): (readonly [name: string, figure: string])[] {
  return (["rssMiB", "handles"] as const).map((what) => {
    const rise = watch.riseOf(what);
    if (rise > maxRise[what]) journal.violate(`${what} rose by ${rise.toFixed(1)}`);
    const bound = `rise ${rise.toFixed(1)}, at most ${maxRise[what]}`;
    return [what === "rssMiB" ? "RSS in MiB" : what, `${watch.span(what)}, ${bound}`];
  });
}

/**
 * To be called when everything else has ended: nothing may be open that was not open before.
 * @returns what is open
 */
export async function judgeHandles(
  pid: number,
  before: ReadonlyMap<string, number>,
  journal: Journal,
): Promise<string> {
  let left = await handlesOf(pid);
  for (const end = performance.now() + closingMs; totalOf(left) > totalOf(before);) {
    if (performance.now() > end) {
      const sockets = (await tcpSocketsOf(pid)).sort().join(", ");
      journal.violate(`left open: ${inWords(left)}; of its sockets the kernel knows ${sockets}`);
      break;
    }
    await pause(100);
    left = await handlesOf(pid);
  }
  return `${inWords(before)} before; ${inWords(left)} after`;
}

function inWords(handles: ReadonlyMap<string, number>): string {
  return [...handles].map(([kind, count]) => `${count} ${kind}`).join(", ");
}
