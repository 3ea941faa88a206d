/** Debian's nginx, for the tests with a reverse proxy in front. */
import { join } from "node:path";
import { cacheRoot } from "./cache_root.ts";

/**
 * The program to run: `NGINX_BIN` where that is set, else `nginx` on the PATH, else the one in our
 * cache; `undefined` when there is none that runs here.
 */
export async function findNginx(): Promise<string | undefined> {
  for (const program of [Deno.env.get("NGINX_BIN") || "nginx", cachedProgram()]) {
    if (await runs(program)) return program;
  }
  return undefined;
}

/**
 * The same; where there is none, Debian's package is unpacked into our cache, not installed.
 * @throws {Error} when that is not possible
 */
export async function getNginx(): Promise<string> {
  const found = await findNginx();
  if (found !== undefined) return found;
  const folder = await Deno.makeTempDir({ prefix: "x402-nginx-" });
  try {
    const command = new Deno.Command("sh", { args: ["-ec", unpack], cwd: folder, stdin: "null" });
    const { success, stderr } = await command.output();
    if (!success) throw missing(new TextDecoder().decode(stderr).trim().split("\n").at(-1)!);
    await Deno.mkdir(join(cachedProgram(), ".."), { recursive: true });
    await Deno.copyFile(join(folder, "unpacked/usr/sbin/nginx"), cachedProgram());
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  if (!await runs(cachedProgram())) throw missing("that of its package does not run here");
  return cachedProgram();
}

/** A fresh machine has no package lists. */
const unpack = `
apt-get download nginx || { apt-get update; apt-get download nginx; }
dpkg-deb -x nginx_*.deb unpacked`;

function missing(why: string): Error {
  return new Error(`nginx is not there (${why}); install it or set NGINX_BIN to the program.`);
}

function cachedProgram(): string {
  return join(cacheRoot(), "nginx", "nginx");
}

/** Whether the program is there with all its shared libraries. */
async function runs(program: string): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(program, { args: ["-v"], stderr: "null" }).output();
    return success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
