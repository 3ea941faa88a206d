import { join } from "node:path";
import { type ManifestFile, parseManifestFile } from "./manifest_file.ts";
import { isManifestName } from "./manifest_folder.ts";
import { manifestSet } from "./manifest_set.ts";
import { decodeUtf8 } from "./manifest_text.ts";

/** Manifests that come from elsewhere than a file; problems are told with the name. */
export interface ManifestInput {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Reads files, and folders as `kubectl apply -f` does: their `*.yaml`, `*.yml` and `*.json` files,
 * without subfolders. All problems at once; never rejects.
 *
 * @param sources paths, and inputs that have been read before
 * @param namespace of objects that name none
 */
export async function readManifests(
  sources: readonly (string | ManifestInput)[],
  namespace: string,
): Promise<ManifestFile> {
  const files = sources.map((source) =>
    typeof source === "string" ? readPath(source, namespace) : [parse(source, namespace)]
  );
  return manifestSet((await Promise.all(files)).flat());
}

async function readPath(path: string, namespace: string): Promise<ManifestFile[]> {
  try {
    if (!(await Deno.stat(path)).isDirectory) {
      return [parse({ name: path, bytes: await Deno.readFile(path) }, namespace)];
    }
    const names: string[] = [];
    for await (const { name, isDirectory } of Deno.readDir(path)) {
      if (isManifestName(name) && !isDirectory) names.push(join(path, name));
    }
    if (names.length === 0) {
      return [failed(path, "the folder has no *.yaml, *.yml or *.json files")];
    }
    return (await Promise.all(names.sort().map((name) => readPath(name, namespace)))).flat();
  } catch (error) {
    return [failed(path, (error as Error).message)];
  }
}

function parse({ name, bytes }: ManifestInput, namespace: string): ManifestFile {
  try {
    return parseManifestFile(name, decodeUtf8(bytes), namespace);
  } catch (error) {
    return failed(name, (error as Error).message);
  }
}

function failed(file: string, reason: string): ManifestFile {
  return { objects: [], errors: [{ file, line: 1, reason }] };
}
