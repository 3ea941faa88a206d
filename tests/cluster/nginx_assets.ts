/** Debian's nginx, for the tests with a reverse proxy in front. */
import { join } from "node:path";
import { cachedPrograms, type DebianPackage, startsHere, unpackPackage } from "./debian_package.ts";

const nginx: DebianPackage = {
  name: "nginx",
  programs: ["usr/sbin/nginx"],
  runs: (folder) => startsHere(join(folder, "nginx"), "-v"),
};

/**
 * The program to run: `NGINX_BIN` where that is set, else `nginx` on the PATH, else the one in our
 * cache; `undefined` when there is none that runs here.
 */
export async function findNginx(): Promise<string | undefined> {
  for (const program of [Deno.env.get("NGINX_BIN") || "nginx", cachedProgram()]) {
    if (await startsHere(program, "-v")) return program;
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
  try {
    await unpackPackage(nginx);
  } catch (error) {
    const why = (error as Error).message;
    throw new Error(`nginx is not there (${why}); install it or set NGINX_BIN to the program.`);
  }
  return cachedProgram();
}

function cachedProgram(): string {
  return join(cachedPrograms(nginx.name), "nginx");
}
