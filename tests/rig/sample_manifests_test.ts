import assert from "node:assert/strict";
import { parse } from "yaml";
import { parseX402Route } from "../../crd/x402route.ts";
import { renderSamples } from "./sample_manifests.ts";

Deno.test("renderSamples() moves backend and facilitator to other ports", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await renderSamples(folder, { api: 1111, facilitator: 2222 });
    const service = parse(await Deno.readTextFile(`${folder}/service.yaml`));
    assert.equal(service.spec.ports[0].port, 1111);
    const route = parse(await Deno.readTextFile(`${folder}/x402route.yaml`));
    assert.equal(route.spec.payment.facilitatorURL, "http://localhost:2222");
    assert.equal(parseX402Route(route).ok, true);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
