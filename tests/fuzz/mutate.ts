import { oddBytes } from "./framing_tricks.ts";
import type { Random } from "./random.ts";

/** A few bytes or lines of it changed, except for the ids. */
export function mutated(random: Random, text: string): string {
  let result = text;
  for (let count = 1 + random.below(3); count > 0; count--) {
    const at = random.below(result.length);
    const ids = [...result.matchAll(/flight-[A-J]{7}-[A-J]/g)];
    const isInId = ids.some(({ index }) => at > index - 3 && at < index + 16);
    if (!isInId) result = mutate(random, result, at);
  }
  return result;
}

function mutate(random: Random, text: string, at: number): string {
  const [before, after] = [text.slice(0, at), text.slice(at)];
  switch (random.below(5)) {
    case 0:
      return before + after.slice(1 + random.below(3));
    case 1:
      return before + random.pick(oddBytes) + after.slice(1);
    case 2:
      return before + random.pick(oddBytes) + after;
    case 3:
      return before + after.replace("\r\n", random.pick(oddBytes));
    default: {
      // A line with an id a second time would be a second request of that name.
      const lines = text.split("\r\n");
      const others = lines.flatMap((line, index) => line.includes("flight-") ? [] : index);
      lines.splice(random.pick(others), random.below(2), lines[random.pick(others)]!);
      return lines.join("\r\n");
    }
  }
}
