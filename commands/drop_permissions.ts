/**
 * Gives up for the rest of the process what a server needs only until it has opened its ledger: to
 * write files (SQLite goes on doing so by itself), and what it never needs. So it is with `-A`, too.
 * Workers that are started later get no more than what is left.
 */
export function dropPermissions(): void {
  for (const name of ["write", "ffi", "sys"] as const) Deno.permissions.revokeSync({ name });
}

/** Only a kubeconfig names programs that servers start. */
export function dropPrograms(): void {
  Deno.permissions.revokeSync({ name: "run" });
}
