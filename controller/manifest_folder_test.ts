import assert from "node:assert/strict";
import { join } from "node:path";
import { ManifestFolder, type Manifests } from "./manifest_folder.ts";

Deno.test("yaml, yml and json files of the folder itself are read, hidden ones are not", async () => {
  await using folder = await temporaryFolder({
    "a.yaml": service("a"),
    "b.yml": service("b"),
    "D.YAML": service("d"),
    "c.json": JSON.stringify({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "c" },
      spec: {},
    }),
    ".hidden.yaml": "not: [valid",
    "notes.txt": "not: [valid",
    "a.yaml~": "not: [valid",
    "sub/e.yaml": service("e"),
  });
  const loaded = await new ManifestFolder(folder.path).load();
  assert.deepEqual(serviceNames(loaded), ["d", "a", "b", "c"]);
});

Deno.test("what is no regular file is refused, and a FIFO does not stop the loop", async () => {
  await using folder = await temporaryFolder({ "a.yaml": service("a"), "sub.yaml/e.yaml": "" });
  const fifo = join(folder.path, "fifo.yaml");
  assert.ok((await new Deno.Command("mkfifo", { args: [fifo] }).output()).success);
  const loaded = await new ManifestFolder(folder.path).load();
  const reason = "this is a folder or device, not a regular file";
  assert.deepEqual(loaded, {
    ok: false,
    errors: [fifo, join(folder.path, "sub.yaml")].map((file) => ({ file, line: 1, reason })),
  });
});

Deno.test("a file that is not UTF-8 is refused", async () => {
  await using folder = await temporaryFolder({});
  await Deno.writeFile(join(folder.path, "a.yaml"), new Uint8Array([0x61, 0x3a, 0x20, 0xe9]));
  const loaded = await new ManifestFolder(folder.path).load();
  assert.ok(loaded?.ok === false);
  assert.match(loaded.errors[0]!.reason, /not UTF-8/);
});

Deno.test("a link to a file is read, as a ConfigMap mount has them", async () => {
  await using folder = await temporaryFolder({ "..data/a.yaml": service("a") });
  await Deno.symlink(join("..data", "a.yaml"), join(folder.path, "a.yaml"));
  assert.deepEqual(serviceNames(await new ManifestFolder(folder.path).load()), ["a"]);
});

Deno.test("an unchanged folder says nothing, each kind of change does", async () => {
  await using folder = await temporaryFolder({ "a.yaml": service("a") });
  const manifests = new ManifestFolder(folder.path);
  assert.deepEqual(serviceNames(await manifests.load()), ["a"]);
  assert.equal(await manifests.load(), undefined);
  // Written again with the same text.
  await folder.write("a.yaml", service("a"));
  assert.equal(await manifests.load(), undefined);
  // The same length, maybe in the same millisecond.
  await folder.write("a.yaml", service("b"));
  assert.deepEqual(serviceNames(await manifests.load()), ["b"]);
  await folder.write("c.yaml", service("c"));
  assert.deepEqual(serviceNames(await manifests.load()), ["b", "c"]);
  await Deno.remove(join(folder.path, "a.yaml"));
  assert.deepEqual(serviceNames(await manifests.load()), ["c"]);
  await Deno.remove(join(folder.path, "c.yaml"));
  assert.deepEqual(serviceNames(await manifests.load()), []);
  assert.equal(await manifests.load(), undefined);
});

Deno.test("a change that keeps size and modification time is seen", async () => {
  await using folder = await temporaryFolder({ "a.yaml": service("a") });
  const past = new Date(Date.now() - 3_600_000);
  const path = join(folder.path, "a.yaml");
  await Deno.utime(path, past, past);
  const changed = Deno.statSync(path).ctime!.getTime();
  const manifests = new ManifestFolder(folder.path, 0);
  await manifests.load();
  do {
    await folder.write("a.yaml", service("b"));
    await Deno.utime(path, past, past);
  } while (Deno.statSync(path).ctime!.getTime() === changed);
  assert.deepEqual(serviceNames(await manifests.load()), ["b"]);
});

Deno.test("one broken file makes the folder unusable; all errors are told", async () => {
  await using folder = await temporaryFolder({
    "a.yaml": service("a"),
    "b.yaml": "a: [",
    "c.yaml": "",
  });
  const loaded = await new ManifestFolder(folder.path).load();
  assert.ok(loaded !== undefined && !loaded.ok);
  assert.deepEqual(loaded.errors.map(({ file }) => file), [
    join(folder.path, "b.yaml"),
    join(folder.path, "c.yaml"),
  ]);
});

Deno.test("an object that is defined twice is an error that names both places", async () => {
  await using folder = await temporaryFolder({
    "a.yaml": service("other") + "---\n" + service("api"),
    "b.yaml": "# again\n" + service("api"),
  });
  const loaded = await new ManifestFolder(folder.path).load();
  assert.deepEqual(loaded, {
    ok: false,
    errors: [{
      file: join(folder.path, "b.yaml"),
      line: 2,
      reason: `Service default/api is already defined in ${join(folder.path, "a.yaml")} line 7`,
    }],
  });
});

Deno.test("a folder or file that cannot be read is an error until it can", async () => {
  await using folder = await temporaryFolder({ "a.yaml": service("a") });
  const missing = new ManifestFolder(join(folder.path, "later"));
  assert.equal((await missing.load())?.ok, false);
  await Deno.mkdir(join(folder.path, "later"));
  assert.deepEqual(serviceNames(await missing.load()), []);

  const manifests = new ManifestFolder(folder.path);
  await manifests.load();
  await Deno.symlink("nowhere", join(folder.path, "dangling.yaml"));
  const dangling = await manifests.load();
  assert.ok(dangling?.ok === false);
  assert.equal(dangling.errors[0]!.file, join(folder.path, "dangling.yaml"));
  await Deno.remove(join(folder.path, "dangling.yaml"));
  assert.deepEqual(serviceNames(await manifests.load()), ["a"]);
});

function service(name: string): string {
  return `apiVersion: v1\nkind: Service\nmetadata:\n  name: ${name}\nspec: {}\n`;
}

function serviceNames(loaded: Manifests | undefined): string[] {
  assert.ok(loaded?.ok, JSON.stringify(loaded));
  return loaded.state.services.map(({ metadata }) => metadata.name);
}

async function temporaryFolder(files: Readonly<Record<string, string>>) {
  const path = await Deno.makeTempDir();
  const write = async (name: string, text: string) => {
    await Deno.mkdir(join(path, name, ".."), { recursive: true });
    await Deno.writeTextFile(join(path, name), text);
  };
  for (const [name, text] of Object.entries(files)) await write(name, text);
  return { path, write, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}
