import { join } from "node:path";
import type { ClusterState } from "./cluster_state.ts";
import type { ManifestError } from "./manifest_event.ts";
import { type ManifestFile, parseManifestFile } from "./manifest_file.ts";
import { decodeUtf8 } from "./manifest_text.ts";
import { manifestSet, type RouteSource, routeSources, stateOf } from "./manifest_set.ts";

/** A folder as a whole: usable, or not at all. */
export type Manifests =
  | { readonly ok: true; readonly state: ClusterState; readonly routeSource: RouteSource }
  | { readonly ok: false; readonly errors: readonly ManifestError[] };

/** Whether a file of this name is read: no hidden ones, and no editor's backups. */
export function isManifestName(name: string): boolean {
  return /^[^.].*\.(yaml|yml|json)$/i.test(name);
}

interface KnownFile {
  /** Undefined when the file could not be read. */
  readonly stamp?: string;
  /** Whether a later change may have left the stamp as it is. */
  readonly fresh: boolean;
  readonly text?: string;
  readonly parsed: ManifestFile;
}

/**
 * The manifests of one folder: its `*.yaml`, `*.yml` and `*.json` files, without subfolders and
 * hidden files. Remembers what it has parsed, so that looking again costs one stat a file.
 */
export class ManifestFolder {
  /** By path; undefined when nothing has been read or the last reading failed. */
  #files: ReadonlyMap<string, KnownFile> | undefined;

  /** `clockStep` is that of the coarsest common file system (FAT), in milliseconds. */
  constructor(private readonly folder: string, private readonly clockStep = 2000) {}

  /** Reads what has changed; undefined when nothing has since the call before. */
  async load(): Promise<Manifests | undefined> {
    const known = this.#files;
    this.#files = undefined;
    let paths: string[];
    try {
      paths = await this.#paths();
    } catch (error) {
      return { ok: false, errors: [{ file: this.folder, line: 1, reason: messageOf(error) }] };
    }
    const read = await Promise.all(paths.map((path) => this.#read(path, known?.get(path))));
    this.#files = new Map(paths.map((path, index) => [path, read[index]!]));
    const unchanged = paths.length === known?.size &&
      [...this.#files].every(([path, { parsed }]) => known.get(path)?.parsed === parsed);
    return unchanged ? undefined : combine(read.map(({ parsed }) => parsed));
  }

  async #paths(): Promise<string[]> {
    const paths: string[] = [];
    for await (const { name } of Deno.readDir(this.folder)) {
      if (isManifestName(name)) paths.push(join(this.folder, name));
    }
    return paths.sort();
  }

  async #read(path: string, known: KnownFile | undefined): Promise<KnownFile> {
    try {
      const { size, ino, mtime, ctime, isFile } = await Deno.stat(path);
      // Opening a FIFO would wait for somebody to write into it, and the loop with it.
      if (!isFile) return unreadable(path, "this is a folder or device, not a regular file");
      const changed = Math.max(mtime?.getTime() ?? Infinity, ctime?.getTime() ?? 0);
      const stamp = [size, ino, mtime?.getTime(), ctime?.getTime()].join();
      if (known?.stamp === stamp && !known.fresh) return known;
      const fresh = Date.now() - changed < this.clockStep;
      // One file open at a time, however many there are.
      const text = decodeUtf8(Deno.readFileSync(path));
      const parsed = known?.text === text ? known.parsed : parseManifestFile(path, text);
      return { stamp, fresh, text, parsed };
    } catch (error) {
      // Also when a file vanished since it was listed: to be looked at again, not to be left out.
      return unreadable(path, messageOf(error));
    }
  }
}

function unreadable(file: string, reason: string): KnownFile {
  return { fresh: true, parsed: { objects: [], errors: [{ file, line: 1, reason }] } };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function combine(files: readonly ManifestFile[]): Manifests {
  const { objects, errors } = manifestSet(files);
  if (errors.length > 0) return { ok: false, errors };
  return { ok: true, state: stateOf(objects), routeSource: routeSources(objects) };
}
