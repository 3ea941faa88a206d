import assert from "node:assert/strict";
import { GuardedProcess, type GuardOptions } from "./guarded_process.ts";

/** A program that connects to `port` and stays: the connection ends when it does. */
function connected(port: number): string[] {
  const code = `await (await Deno.connect({ port: ${port} })).read(new Uint8Array(1))`;
  return [Deno.execPath(), "eval", code];
}

/** A process that starts that program and does nothing more. */
function owner(port: number, options: GuardOptions): Deno.ChildProcess {
  const module = new URL("guarded_process.ts", import.meta.url).href;
  const code = `import { GuardedProcess, type GuardOptions } from ${JSON.stringify(module)};
    await GuardedProcess.start(${JSON.stringify(connected(port))}, ${JSON.stringify(options)});
    await new Promise((resolve) => setTimeout(resolve, 60_000));`;
  return new Deno.Command(Deno.execPath(), { args: ["eval", code], stdin: "null" }).spawn();
}

Deno.test("when its owner is killed, a guarded process ends, and its files are gone", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const parent = await Deno.makeTempDir();
  const scratch = `${parent}/scratch`;
  await Deno.mkdir(`${scratch}/with/folders`, { recursive: true });
  const watcher = Deno.watchFs(parent);
  const process = owner(listener.addr.port, { scratch });
  using connection = await listener.accept();
  process.kill("SIGKILL");
  await process.status;
  assert.equal(await connection.read(new Uint8Array(1)).catch(() => null), null);
  for await (const { kind, paths } of watcher) {
    if (kind === "remove" && paths.includes(scratch)) break;
  }
  await Deno.remove(parent);
});

Deno.test("a guarded process that was stopped by SIGSTOP can be ended", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const process = await GuardedProcess.start(connected(listener.addr.port));
  using connection = await listener.accept();
  process.signal("SIGSTOP");
  await process.end();
  assert.equal(await connection.read(new Uint8Array(1)).catch(() => null), null);
});

Deno.test("the exit code of a guarded process is told, and its output is in the log", async () => {
  const log = await Deno.makeTempFile();
  const process = await GuardedProcess.start(["sh", "-c", "echo out; echo err >&2; exit 7"], {
    log,
  });
  assert.equal(await process.ended, 7);
  assert.equal(await Deno.readTextFile(log), "out\nerr\n");
  await process.end();
  await Deno.remove(log);
});

Deno.test("the children of a guarded process end with it", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [program, ...args] = connected(listener.addr.port);
  const process = await GuardedProcess.start(["sh", "-c", '"$@"; true', "sh", program!, ...args]);
  using connection = await listener.accept();
  await process.end();
  assert.equal(await connection.read(new Uint8Array(1)).catch(() => null), null);
});

Deno.test("a guarded process without a log is heard line by line", async () => {
  const process = await GuardedProcess.start(["sh", "-c", "echo out; echo err >&2"]);
  assert.deepEqual(await Array.fromAsync(process.lines), ["out", "err"]);
  await process.end();
});
