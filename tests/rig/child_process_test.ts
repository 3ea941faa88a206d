import assert from "node:assert/strict";
import { ChildProcess } from "./child_process.ts";

/** A child that runs a piece of shell. */
function shell(script: string): ChildProcess {
  return new ChildProcess("the child", ["/bin/sh", "-c", script]);
}

Deno.test("ChildProcess finds past and future lines of both outputs", async () => {
  await using child = shell("echo one; echo two >&2; exec sleep 60");
  assert.equal(await child.find((line) => /^two$/.exec(line)?.[0]), "two");
  assert.equal(await child.find((line) => /^one$/.exec(line)?.[0]), "one");
});

Deno.test("ChildProcess says what the child printed when it ends too early", async () => {
  await using child = shell("echo no such port; exit 3");
  await assert.rejects(child.find(() => undefined), {
    message: "the child ended with 3:\n  no such port",
  });
});

Deno.test("ChildProcess gives up waiting for a line after the timeout", async () => {
  await using child = shell("exec sleep 60");
  await assert.rejects(child.find(() => undefined, 10), /said nothing of the kind in 10 ms/);
});

Deno.test("ChildProcess.stop() returns the exit code that the child chose", async () => {
  await using child = shell("trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done");
  await child.find((line) => line === "ready" ? true : undefined);
  assert.equal(await child.stop(), 7);
  assert.equal(await child.stop(), 7);
});
