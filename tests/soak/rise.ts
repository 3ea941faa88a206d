/** Samples that are compared at most; the number of pairs grows with its square. */
const maxCompared = 400;

/**
 * How much values that were taken at equal distances rose over the last two thirds of them, or over
 * what comes after the first `atLeast` if that is less: the rest is for warming up. It is the median of the slopes between all pairs of them (Theil and Sen), times their length. A few values
 * far out, such as before a garbage collection, do not move it; a leak moves every pair.
 */
export function riseOf(values: readonly number[], atLeast = 0): number {
  const kept = values.slice(Math.max(atLeast, Math.floor(values.length / 3)));
  const step = Math.max(1, Math.ceil(kept.length / maxCompared));
  const compared = kept.filter((_, at) => at % step === 0);
  const slopes: number[] = [];
  for (const [at, value] of compared.entries()) {
    for (let later = at + 1; later < compared.length; later++) {
      slopes.push((compared[later]! - value) / (later - at));
    }
  }
  if (slopes.length === 0) return 0;
  slopes.sort((a, b) => a - b);
  return slopes[slopes.length >> 1]! * (compared.length - 1);
}
