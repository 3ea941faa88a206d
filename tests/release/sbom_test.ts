import assert from "node:assert/strict";
import { sbom } from "../../build/sbom.ts";

Deno.test("the SBOM has what is in the executables, with hashes, and nothing of the tests", async () => {
  const { components } = await sbom();
  const names = new Map(components.map((each) => [each.name, each]));
  for (const name of ["deno", "zod", "prom-client", "commander", "pg", "yaml", "viem", "undici"]) {
    assert.ok(names.has(name), name);
  }
  for (const name of ["express", "fast-check", "@foundry-rs/anvil-linux-amd64", "@types/pg"]) {
    assert.ok(!names.has(name), name);
  }
  const libraries = components.filter(({ type }) => type === "library");
  assert.deepEqual(libraries.filter(({ hashes }) => hashes?.[0]?.content.length !== 128), []);
  assert.match(names.get("@x402/core")!.purl, /^pkg:npm\/%40x402\/core@\d/);
  assert.deepEqual(await sbom(), await sbom(), "it depends on the sources only");
});
