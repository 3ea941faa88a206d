import assert from "node:assert/strict";
import { Logger } from "../../store/log.ts";
import { CredentialsError } from "./credentials_error.ts";
import { SecretFiles } from "./secret_files.ts";

/** A folder as Kubernetes mounts a Secret: files are links through `..data`, which is swapped. */
async function mountSecret() {
  const folder = await Deno.makeTempDir();
  let version = 0;
  const mount = {
    file: `${folder}/key`,
    async put(text: string) {
      const data = `${folder}/..${++version}`;
      await Deno.mkdir(data);
      await Deno.writeTextFile(`${data}/key`, text);
      await Deno.symlink(`..${version}`, `${folder}/..new`);
      await Deno.rename(`${folder}/..new`, `${folder}/..data`);
    },
    remove: () => Deno.remove(`${folder}/..data`),
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
  await Deno.symlink("..data/key", mount.file);
  return mount;
}

function parse([text]: readonly string[]): string {
  if (text!.startsWith("bad")) throw new CredentialsError("key:1: not good");
  return text!.toUpperCase();
}

Deno.test("a swapped file counts after a few seconds; one that is not good does not", async () => {
  await using mount = await mountSecret();
  await mount.put("first");
  const log: Record<string, unknown>[] = [];
  let time = 0;
  const logger = new Logger("info", (line) => log.push(JSON.parse(line)));
  const files = await SecretFiles.open([mount.file], parse, logger, () => time);
  assert.equal(await files.current(), "FIRST");
  await mount.put("second");
  assert.equal(await files.current(), "FIRST", "not read for every request");
  time = 3_000;
  assert.deepEqual(
    await Promise.all([files.current(), files.current()]),
    ["SECOND", "SECOND"],
  );
  assert.deepEqual(log.map(({ level }) => level), ["info"]);

  await mount.put("bad secret");
  for (time of [6_000, 9_000]) assert.equal(await files.current(), "SECOND");
  assert.deepEqual(log.slice(1).map(({ level, reason }) => [level, reason]), [
    ["error", "key:1: not good"],
  ]);
  await mount.remove();
  for (time of [12_000, 15_000]) assert.equal(await files.current(), "SECOND");
  assert.match(String(log[2]!.reason), /key cannot be read \(NotFound\)/);
  assert.equal(log.length, 3);
  await mount.put("third");
  time = 18_000;
  assert.equal(await files.current(), "THIRD");
  assert.doesNotMatch(JSON.stringify(log), /bad secret|second|third/i);
});

Deno.test("what cannot be used from the start is an error that names the file", async () => {
  await using mount = await mountSecret();
  const open = () => SecretFiles.open([mount.file], parse, new Logger("error", () => {}));
  await assert.rejects(open(), { name: "CredentialsError", message: /key cannot be read/ });
  await mount.put("bad");
  await assert.rejects(open(), { name: "CredentialsError", message: "key:1: not good" });
});
