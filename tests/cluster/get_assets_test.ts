import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("get_assets.ts", import.meta.url));

/** Those that these tests play; each other one has a test of its own. */
const played = ["kubernetes", "nginx", "helm", "monitoring-crds", "postgresql", "pgbouncer"];

/** A machine with empty caches, and with just these programs on its PATH. */
class Machine implements AsyncDisposable {
  private constructor(private readonly folder: string) {}

  static async with(programs: Readonly<Record<string, string>>): Promise<Machine> {
    const machine = new Machine(await Deno.makeTempDir());
    await machine.write("bin", programs);
    await machine.write("postgres", { "postgres": "", "initdb": "" });
    await machine.write("crds", { "prometheusrules.yaml": "", "servicemonitors.yaml": "" });
    return machine;
  }

  /** Writes shell scripts; returns the folder. */
  async write(name: string, scripts: Readonly<Record<string, string>>): Promise<string> {
    const folder = join(this.folder, name);
    await Deno.mkdir(folder);
    for (const [script, text] of Object.entries(scripts)) {
      await Deno.writeTextFile(join(folder, script), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    }
    return folder;
  }

  /** Exit code and lines of `deno task cluster:assets` there. */
  async getAssets(env: Record<string, string> = {}): Promise<[code: number, ...lines: string[]]> {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", program, ...played],
      env: {
        PATH: join(this.folder, "bin"),
        XDG_CACHE_HOME: join(this.folder, "cache"),
        NGINX_BIN: "/bin/true",
        HELM_BIN: "/bin/true",
        HELM_UNITTEST_BIN: "/bin/true",
        MONITORING_CRDS: join(this.folder, "crds"),
        POSTGRES_BIN: join(this.folder, "postgres"),
        PGBOUNCER_BIN: "/bin/true",
        KUBEBUILDER_ASSETS: "",
        ...env,
      },
    }).output();
    return [code, ...new TextDecoder().decode(stderr).trim().split("\n")];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

Deno.test("KUBEBUILDER_ASSETS with both programs is used as it is", async () => {
  await using machine = await Machine.with({});
  const folder = await machine.write("assets", { "etcd": "", "kube-apiserver": "" });
  const [code, line] = await machine.getAssets({ KUBEBUILDER_ASSETS: folder });
  assert.deepEqual([code, line], [0, `kube-apiserver and etcd: ${folder}`]);
});

Deno.test("KUBEBUILDER_ASSETS without a program is an error, not ignored", async () => {
  await using machine = await Machine.with({});
  const folder = await machine.write("assets", { "etcd": "" });
  assert.deepEqual(await machine.getAssets({ KUBEBUILDER_ASSETS: folder }), [
    1,
    `KUBEBUILDER_ASSETS is ${folder}, which has no kube-apiserver; ` +
    "name a folder with both or unset it.",
  ]);
});

Deno.test("setup-envtest delivers the programs where it is installed, once", async () => {
  await using elsewhere = await Machine.with({});
  const store = await elsewhere.write("store", { "etcd": "", "kube-apiserver": "" });
  const tool = `[ "$1 $3 $4" = "use -p path" ] || exit 9\necho ${store}`;
  await using machine = await Machine.with({ "setup-envtest": tool });
  const [code, line] = await machine.getAssets();
  assert.match(`${code} ${line}`, /^0 kube-apiserver and etcd: .*kube-assets/);
  await Deno.remove(store, { recursive: true });
  assert.deepEqual((await machine.getAssets())[0], 0);
});

Deno.test("without go and setup-envtest it says what to install", async () => {
  await using machine = await Machine.with({});
  const [code, ...lines] = await machine.getAssets();
  assert.equal(code, 1);
  assert.match(
    lines.at(-1)!,
    /^kube-apiserver and etcd are not there and go, .* KUBEBUILDER_ASSETS/,
  );
});

Deno.test("a build that fails leaves nothing that looks finished", async () => {
  await using machine = await Machine.with({ "go": "exit 1" });
  for (let attempt = 0; attempt < 2; attempt++) {
    const [code, ...lines] = await machine.getAssets();
    assert.deepEqual([code, lines.at(-1)], [1, "go could not build etcd; its message is above."]);
  }
});

Deno.test("Helm is built where it is missing; without go it says what to install", async () => {
  await using machine = await Machine.with({});
  const KUBEBUILDER_ASSETS = await machine.write("assets", { "etcd": "", "kube-apiserver": "" });
  const HELM_BIN = `${KUBEBUILDER_ASSETS}/helm`;
  const [code, ...lines] = await machine.getAssets({ KUBEBUILDER_ASSETS, HELM_BIN });
  assert.equal(code, 1);
  assert.match(lines.at(-1)!, /^helm is not there and go, .* set HELM_BIN and HELM_UNITTEST_BIN/);
});

Deno.test("what it does not know it refuses with exit code 2, and says what there is", async () => {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", program, "nginx", "kubernets"],
  }).output();
  assert.equal(code, 2);
  assert.match(
    new TextDecoder().decode(stderr),
    /^There is no "kubernets" to get; there is kubernetes, nginx, promtool, helm, /,
  );
});

/** Plays Debian's tools: `pgbouncer` is a program that does not start without a library. */
const debianTools = {
  "apt-cache":
    `case "$*" in *" pgbouncer") echo "  Depends: libevent"; echo "  Depends: libc6"; esac`,
  "apt-get": `shift; echo "download: $*" >>"$HOME/log"; for it; do : >"$it.deb"; done`,
  "dpkg-deb": `case $2 in
    pgbouncer*) mkdir -p usr/sbin; echo '[ -n "$LD_LIBRARY_PATH" ]' >usr/sbin/pgbouncer; chmod 755 usr/sbin/*;;
    *) mkdir -p usr/lib/some-linux-gnu;;
    esac`,
};

/** How a machine without pgbouncer finds those tools, and what they need. */
async function withoutPgbouncer(machine: Machine): Promise<Record<string, string>> {
  const KUBEBUILDER_ASSETS = await machine.write("assets", { "etcd": "", "kube-apiserver": "" });
  const HOME = join(KUBEBUILDER_ASSETS, "..");
  const PATH = `${join(HOME, "bin")}:/usr/bin:/bin`;
  return { KUBEBUILDER_ASSETS, HOME, PATH, PGBOUNCER_BIN: join(HOME, "nothing") };
}

Deno.test("Debian's package is unpacked with its libraries where it does not run alone", async () => {
  await using machine = await Machine.with(debianTools);
  const env = await withoutPgbouncer(machine);
  for (let attempt = 0; attempt < 2; attempt++) {
    const [code, ...lines] = await machine.getAssets(env);
    assert.deepEqual(
      [code, lines.at(-1)],
      [0, `pgbouncer: ${env.HOME}/cache/x402-k8s-operator/debian/pgbouncer/run/pgbouncer`],
    );
  }
  assert.equal(
    await Deno.readTextFile(join(env.HOME!, "log")),
    "download: pgbouncer\ndownload: pgbouncer libevent\n",
  );
});

Deno.test("where the package cannot be had, it says what to install", async () => {
  const tool = `[ "$1" = update ] || { echo "E: Unable to locate package" >&2; exit 100; }`;
  await using machine = await Machine.with({ ...debianTools, "apt-get": tool });
  const [code, ...lines] = await machine.getAssets(await withoutPgbouncer(machine));
  assert.deepEqual([code, lines.at(-1)], [
    1,
    "pgbouncer is not there (E: Unable to locate package); install it or set PGBOUNCER_BIN to the program.",
  ]);
});
