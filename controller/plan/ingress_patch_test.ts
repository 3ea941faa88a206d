import assert from "node:assert/strict";
import type { Ingress } from "../cluster_state.ts";
import { backendSlots } from "./backend_slots.ts";
import { ingressPatch } from "./ingress_patch.ts";
import { originalBackendsAnnotation, parseOriginals } from "./original_backends.ts";
import { originalIngress } from "./original_ingress.ts";
import type { GatewayAddress } from "./plan_options.ts";

const gateway: GatewayAddress = {
  own: { namespace: "x402", name: "x402-k8s-operator" },
  serviceName: "x402-gateway",
  port: 8402,
  way: "endpoint-slices",
};

/** As the API server counts them: bytes of all names and values. */
const annotationLimit = 262_144;

function ingress(paths: readonly string[], annotations: Record<string, string> = {}): Ingress {
  return {
    apiVersion: "networking.k8s.io/v1",
    metadata: { namespace: "shop", name: "api", resourceVersion: "1", annotations },
    spec: {
      rules: [{
        host: "api.example.com",
        http: {
          paths: paths.map((path, index) => ({
            path,
            pathType: "Prefix",
            backend: { service: { name: index % 2 ? "api" : "static", port: { number: 80 } } },
          })),
        },
      }],
    },
  };
}

function patchAll(live: Ingress) {
  const original = originalIngress(live, gateway, new Map(), new Map());
  const wanted = new Set(backendSlots(live).map(({ key }) => key));
  return ingressPatch(original, wanted, gateway, true);
}

Deno.test("an Ingress with 10,000 paths is patched with fewer operations than the API server takes", () => {
  const live = ingress(Array.from({ length: 10_000 }, (_, index) => `/api/v1/item-${index}`));
  const patch = patchAll(live);
  assert.equal(patch.kind, "write");
  const { write } = patch as Extract<typeof patch, { kind: "write" }>;
  assert.ok(write.verb === "patch" && write.operations.length <= 10_000);
  const annotation = write.operations
    .find(({ path }) => path.endsWith("/x402.io~1original-backends"))!.value as string;
  assert.ok(annotation.length < annotationLimit, `${annotation.length} bytes`);
  assert.equal(parseOriginals(annotation)!.backends.size, 10_000);
  const rules = write.operations.find(({ path }) => path === "/spec/rules")!
    .value as NonNullable<Ingress["spec"]["rules"]>;
  for (const { backend } of rules[0]!.http!.paths) {
    assert.equal(backend.service!.name, "x402-gateway");
  }
});

Deno.test("paths are put back with one operation each, while that is few enough", () => {
  const paths = Array.from({ length: 5_000 }, (_, index) => `/${index}`);
  const patch = patchAll(ingress(paths));
  const { write } = patch as Extract<typeof patch, { kind: "write" }>;
  assert.ok(write.verb === "patch");
  // The version and the annotation too.
  assert.equal(write.operations.length, 5_002);
});

Deno.test("annotations may take just as much as the API server allows, and not a byte more", () => {
  const alone = patchAll(ingress(["/paid"]));
  const { write } = alone as Extract<typeof alone, { kind: "write" }>;
  assert.ok(write.verb === "patch");
  const text = write.operations.at(-1)!.value as string;
  const rest = annotationLimit - text.length - originalBackendsAnnotation.length - "notes".length;
  assert.equal(patchAll(ingress(["/paid"], { notes: "x".repeat(rest) })).kind, "write");
  assert.deepEqual(patchAll(ingress(["/paid"], { notes: "x".repeat(rest + 1) })), {
    kind: "too-large",
    bytes: annotationLimit + 1,
  });
  // The API server counts bytes, not characters.
  const umlauts = "ü".repeat(Math.floor(rest / 2) + 1);
  assert.equal(patchAll(ingress(["/paid"], { notes: umlauts })).kind, "too-large");
});

Deno.test("an annotation that is not needed any more goes, however large the others are", () => {
  const live = ingress(["/paid"], {
    [originalBackendsAnnotation]: '{"gateway":"x402-gateway","originals":[]}',
    notes: "x".repeat(annotationLimit),
  });
  const original = originalIngress(live, gateway, new Map(), new Map());
  assert.equal(ingressPatch(original, new Set(), gateway, true).kind, "write");
});
