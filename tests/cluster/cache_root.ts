import { join } from "node:path";

/** Where expensive things are kept outside of the clone, for all clones of this user. */
export function cacheRoot(): string {
  const home = Deno.env.get("HOME") ?? Deno.cwd();
  return join(Deno.env.get("XDG_CACHE_HOME") || join(home, ".cache"), "x402-k8s-operator");
}
