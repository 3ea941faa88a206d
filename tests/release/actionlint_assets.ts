/** actionlint, which knows what GitHub's workflows may say. */
import { join } from "node:path";
import { cachedBuild, goBuild, madeOnce } from "../cluster/build_once.ts";
import { startsHere } from "../cluster/debian_package.ts";

/** Pins the version. */
const module = new URL("assets_actionlint/", import.meta.url);

/** The program in our cache; `undefined` when it is not there. */
export async function findActionlint(): Promise<string | undefined> {
  return await startsHere(program(), "-version") ? program() : undefined;
}

/**
 * The same; built by `go` where it is missing (a few seconds).
 * @throws {Error} when that is not possible
 */
export async function getActionlint(): Promise<string> {
  await madeOnce(cached(), findActionlint, async (target) => {
    const job = {
      module,
      package: "github.com/rhysd/actionlint/cmd/actionlint",
      linkerFlags: "-s -w",
      output: join(target, "actionlint"),
    };
    if (!await goBuild(job)) {
      throw new Error("go could not build actionlint; see its message above.");
    }
  });
  return program();
}

function program(): string {
  return join(cached(), "actionlint");
}

function cached(): string {
  return cachedBuild("actionlint", "v1.7.7", module);
}
