import { createHash } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheRoot } from "../cluster/cache_root.ts";

const source = fileURLToPath(new URL("go_proxy/", import.meta.url));

/**
 * The Go reverse proxy, built once into our cache; undefined when there is no `go`.
 * @throws {Error} with the compiler's message when it cannot be built
 */
export async function buildGoProxy(): Promise<string | undefined> {
  const program = join(cacheRoot(), "bench", `go-proxy-${await sourceHash()}`);
  if (await Deno.stat(program).then(() => true, () => false)) return program;
  try {
    const { success, stderr } = await new Deno.Command("go", {
      args: ["build", "-buildvcs=false", "-o", program, "."],
      cwd: source,
      env: { CGO_ENABLED: "0", GOWORK: "off" },
    }).output();
    if (success) return program;
    throw new Error(`go could not build the proxy: ${new TextDecoder().decode(stderr)}`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Another program for every change of the source. */
async function sourceHash(): Promise<string> {
  const hash = createHash("sha256");
  for (const file of ["main.go", "go.mod"]) hash.update(await Deno.readFile(join(source, file)));
  return hash.digest("hex").slice(0, 12);
}
