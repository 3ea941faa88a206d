/**
 * The last result of a pure function for each object, used again as long as its other inputs are
 * the very same values. Most of a cluster does not change between two plans, and objects never
 * change in place: a new version is another object. So nobody can tell that a result is not new,
 * except by the time that it takes.
 */
export class LastResults<Key extends WeakKey, Value> {
  readonly #known = new WeakMap<Key, { inputs: readonly unknown[]; value: Value }>();

  /** @param inputs all that `compute` reads, besides `key`; compared by identity */
  get(key: Key, inputs: readonly unknown[], compute: () => Value): Value {
    const known = this.#known.get(key);
    if (known !== undefined && isSame(known.inputs, inputs)) return known.value;
    const value = compute();
    this.#known.set(key, { inputs, value });
    return value;
  }
}

/** A loop, because it runs ten thousand times for a plan. */
function isSame(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) {
    if (a[index] !== b[index]) return false;
  }
  return true;
}
