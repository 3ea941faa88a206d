/**
 * Whether one resourceVersion is older than another of the same kind of object. They are decimal
 * numbers without leading zeros, too large for `number` (KEP-5504, comparable resource versions).
 */
export function isOlder(version: string, than: string): boolean {
  return version.length === than.length ? version < than : version.length < than.length;
}
