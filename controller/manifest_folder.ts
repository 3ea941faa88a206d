import { join } from "node:path";
import { type ClusterState, keyOf } from "./cluster_state.ts";
import type { ManifestError } from "./manifest_event.ts";
import { type ManifestFile, parseManifestFile } from "./manifest_file.ts";
import type { ManifestObject } from "./manifest_object.ts";

/** A folder as a whole: usable, or not at all. */
export type Manifests =
  | { readonly ok: true; readonly state: ClusterState; readonly routeSource: RouteSource }
  | { readonly ok: false; readonly errors: readonly ManifestError[] };

/** Where an X402Route (`namespace/name`) is written. */
export type RouteSource = (key: string) => Pick<ManifestObject, "file" | "lineOf">;

interface KnownFile {
  readonly stamp: string;
  /** Whether a later change may have left the stamp as it is. */
  readonly fresh: boolean;
  readonly text: string;
  readonly parsed: ManifestFile;
}

/**
 * The manifests of one folder: its `*.yaml`, `*.yml` and `*.json` files, without subfolders and
 * hidden files. Remembers what it has parsed, so that looking again costs one stat a file.
 */
export class ManifestFolder {
  /** By name; undefined when nothing has been read or the last reading failed. */
  #files: ReadonlyMap<string, KnownFile> | undefined;

  /** `clockStep` is that of the coarsest common file system (FAT), in milliseconds. */
  constructor(private readonly folder: string, private readonly clockStep = 2000) {}

  /** Reads what has changed; undefined when nothing has since the call before. */
  async load(): Promise<Manifests | undefined> {
    const files = new Map<string, KnownFile>();
    try {
      for (const name of await this.#names()) {
        files.set(name, await this.#read(join(this.folder, name), this.#files?.get(name)));
      }
    } catch (error) {
      // Also when a file vanished since it was listed: to be looked at again, not to be left out.
      this.#files = undefined;
      const reason = error instanceof Error ? error.message : String(error);
      return { ok: false, errors: [{ file: this.folder, line: 1, reason }] };
    }
    const known = this.#files;
    const unchanged = files.size === known?.size &&
      [...files].every(([name, { parsed }]) => known.get(name)?.parsed === parsed);
    this.#files = files;
    return unchanged ? undefined : combine([...files.values()].map(({ parsed }) => parsed));
  }

  async #names(): Promise<string[]> {
    const names: string[] = [];
    for await (const { name, isDirectory } of Deno.readDir(this.folder)) {
      if (!isDirectory && /^[^.].*\.(yaml|yml|json)$/.test(name)) names.push(name);
    }
    return names.sort();
  }

  async #read(path: string, known: KnownFile | undefined): Promise<KnownFile> {
    const { size, ino, mtime, ctime } = await Deno.stat(path);
    const changed = Math.max(mtime?.getTime() ?? Infinity, ctime?.getTime() ?? 0);
    const stamp = [size, ino, mtime?.getTime(), ctime?.getTime()].join();
    if (known?.stamp === stamp && !known.fresh) return known;
    const fresh = Date.now() - changed < this.clockStep;
    const text = await Deno.readTextFile(path);
    const parsed = known?.text === text ? known.parsed : parseManifestFile(path, text);
    return { stamp, fresh, text, parsed };
  }
}

function combine(files: readonly ManifestFile[]): Manifests {
  const objects = files.flatMap((file) => file.objects);
  const errors = [...files.flatMap((file) => file.errors), ...duplicates(objects)];
  if (errors.length > 0) return { ok: false, errors };
  const routes = objects.filter(({ kind }) => kind === "X402Route");
  const sources = new Map(routes.map((source) => [keyOf(source.object.metadata), source]));
  return {
    ok: true,
    state: {
      routes: routes.map(({ object }) => object),
      ingresses: objects.flatMap((item) => item.kind === "Ingress" ? [item.object] : []),
      services: objects.flatMap((item) => item.kind === "Service" ? [item.object] : []),
    },
    routeSource: (key) => sources.get(key)!,
  };
}

function duplicates(objects: readonly ManifestObject[]): ManifestError[] {
  const first = new Map<string, ManifestObject>();
  return objects.flatMap((item) => {
    const name = `${item.kind} ${keyOf(item.object.metadata)}`;
    const known = first.get(name);
    if (known === undefined) {
      first.set(name, item);
      return [];
    }
    const reason = `${name} is already defined in ${known.file} line ${known.lineOf([])}`;
    return [{ file: item.file, line: item.lineOf([]), reason }];
  });
}
