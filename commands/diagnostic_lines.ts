import type { Diagnostic } from "../controller/mod.ts";

/** `FILE:LINE: error: sentence.`, as editors and pipelines find it; one line each. */
export function diagnosticLine({ severity, file, line, object, message }: Diagnostic): string {
  const where = file === undefined ? "" : `${file}:${line}: `;
  const what = object === undefined ? "" : `${object}: `;
  return `${where}${severity}: ${what}${message}.`;
}

/** `2 errors, 1 warning`; empty when there is nothing to count. */
export function diagnosticCounts(diagnostics: readonly Diagnostic[]): string {
  return (["error", "warning", "note"] as const).flatMap((severity) => {
    const count = diagnostics.filter((each) => each.severity === severity).length;
    return count === 0 ? [] : [`${count} ${severity}${count === 1 ? "" : "s"}`];
  }).join(", ");
}
