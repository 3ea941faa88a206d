/**
 * `deno run -A build/sbom.ts > sbom.cdx.json`: what the executables are made of, as CycloneDX 1.6. No
 * scanner finds it in them: the packages are in one bundle there.
 */
import { fileURLToPath } from "node:url";
import { version } from "../version.ts";
import { root } from "./bundle.ts";
import { run } from "./run.ts";

/** What `deno info --json` says of a program and of all packages in the lockfile. */
interface ModuleInfo {
  readonly modules: readonly { readonly npmPackage?: string }[];
  readonly npmPackages: Readonly<Record<string, NpmPackage>>;
}

interface NpmPackage {
  readonly name: string;
  readonly version: string;
  readonly dependencies: readonly string[];
}

interface Lock {
  readonly npm: Readonly<Record<string, { readonly integrity: string }>>;
}

/** As far as we use it. */
export interface Component {
  readonly type: "application" | "library" | "platform";
  readonly "bom-ref": string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly hashes?: readonly { readonly alg: "SHA-512"; readonly content: string }[];
}

export interface Sbom {
  readonly bomFormat: "CycloneDX";
  readonly specVersion: "1.6";
  readonly version: 1;
  readonly metadata: { readonly component: Component };
  readonly components: readonly Component[];
}

/** The same for the same sources: no time, no serial number. */
export async function sbom(): Promise<Sbom> {
  const main = fileURLToPath(new URL("../main.ts", import.meta.url));
  const info: ModuleInfo = JSON.parse(
    await run(Deno.execPath(), ["info", "--json", main], { cwd: root }),
  );
  const lock: Lock = JSON.parse(await Deno.readTextFile(new URL("../deno.lock", import.meta.url)));
  const used = reachable(info).filter(([, { name }]) => !name.startsWith("@types/"))
    .map(([id, { name, version }]) => npmComponent(name, version, lock.npm[id]?.integrity));
  const unique = new Map(used.map((component) => [component.purl, component]));
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      component: component(
        "application",
        "x402-k8s-operator",
        version,
        `pkg:github/x402-k8s-operator/x402-k8s-operator@v${version}`,
      ),
    },
    components: [
      component(
        "platform",
        "deno",
        Deno.version.deno,
        `pkg:github/denoland/deno@v${Deno.version.deno}`,
      ),
      ...[...unique.values()].sort((one, other) => one.purl < other.purl ? -1 : 1),
    ],
  };
}

/** The packages that the program imports, and those that these need. */
function reachable({ modules, npmPackages }: ModuleInfo): [id: string, it: NpmPackage][] {
  const found = new Map<string, NpmPackage>();
  const open = modules.flatMap(({ npmPackage }) => npmPackage ?? []);
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const it = npmPackages[id];
    if (it === undefined || found.has(id)) continue;
    found.set(id, it);
    open.push(...it.dependencies);
  }
  return [...found];
}

function npmComponent(name: string, version: string, integrity?: string): Component {
  // The scope's "@" is written as %40 (purl specification, npm).
  const purl = `pkg:npm/${name.replace(/^@/, "%40")}@${version}`;
  const sha512 = integrity?.startsWith("sha512-") ? integrity.slice("sha512-".length) : undefined;
  return {
    ...component("library", name, version, purl),
    ...(sha512 !== undefined && { hashes: [{ alg: "SHA-512", content: hex(sha512) }] }),
  };
}

function component(type: Component["type"], name: string, version: string, purl: string) {
  return { type, "bom-ref": purl, name, version, purl };
}

/** Of a hash that a lockfile has in base64. */
function hex(base64: string): string {
  return Uint8Array.fromBase64(base64).toHex();
}

if (import.meta.main) {
  const text = JSON.stringify(await sbom(), null, 2) + "\n";
  await Deno.stdout.write(new TextEncoder().encode(text));
}
