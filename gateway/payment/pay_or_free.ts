import type { PaidAccess } from "../routing/compiled_rule.ts";

/**
 * Whether a request to a paid rule has to pay. The conditions are tried in order; the first whose
 * header is present and matches decides, else the rule's default does.
 * @param valueOf the value of a request header, by its lower-case name
 */
export function payOrFree(
  access: PaidAccess,
  valueOf: (header: string) => string | null,
): "pay" | "free" {
  for (const { header, pattern, action } of access.conditions) {
    const value = valueOf(header);
    // `test` caches its automaton; a matcher took three times as long on the worst patterns.
    if (value !== null && pattern.test(value)) return action;
  }
  return access.otherwise;
}
