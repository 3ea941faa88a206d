import assert from "node:assert/strict";
import { parseX402Route, type Problem } from "./x402route.ts";

type Path = readonly (string | number)[];

/** The value that stands for a removed field. */
const absent = Symbol("absent");

/** A valid manifest in which one field is replaced, and the messages that this has to give. */
const refusals: [name: string, path: Path, value: unknown, messages: string[]][] = [
  ["another kind", ["kind"], "Route", ['kind is "Route"; it must be "X402Route"']],
  ["no apiVersion", ["apiVersion"], absent, [
    'apiVersion is missing; it must be "x402.io/v1alpha1"',
  ]],
  ["no spec", ["spec"], absent, ["spec is missing; it must be an object"]],
  ["no name", ["metadata", "name"], absent, ["metadata.name is missing; it must be a string"]],
  ["an annotation without quotes", ["metadata", "annotations"], { "a.example/b": true }, [
    'metadata.annotations["a.example/b"] is true; write it as a string: "true"',
  ]],
  ["misspelled and unknown fields", ["spec", "payment", "walet"], "0x", [
    'spec.payment has no field "walet" (did you mean "wallet"?); allowed: wallet, network, ' +
    "defaultPrice, facilitatorURL, settle, maxTimeoutSeconds, asset",
  ]],
  ["an unknown field in an optional object", ["spec", "payment", "asset", "symbol"], "USDC", [
    'spec.payment.asset has no field "symbol"; allowed: address, name, version, decimals',
  ]],
  ["an unknown field in a list entry", ["spec", "routes", 1, "condition"], [], [
    'spec.routes[1] has no field "condition" (did you mean "conditions"?); allowed: path, ' +
    "methods, price, free, mode, conditions, conditionDefault, description, mimeType, backend",
  ]],
  ["a missing wallet", ["spec", "payment", "wallet"], absent, [
    "spec.payment.wallet is missing; it must be a string",
  ]],
  ["a wallet that is null", ["spec", "payment", "wallet"], null, [
    "spec.payment.wallet is null; it must be a string",
  ]],
  ["a wallet that is no address", ["spec", "payment", "wallet"], "alice.eth", [
    'spec.payment.wallet is "alice.eth"; a wallet is an address that starts with 0x',
  ]],
  ["a facilitator without http", ["spec", "payment", "facilitatorURL"], "ftp://a.example", [
    'spec.payment.facilitatorURL is "ftp://a.example"; a facilitator URL starts with https:// ' +
    "(or http:// for a Service in the cluster)",
  ]],
  ["a timeout in quotes", ["spec", "payment", "maxTimeoutSeconds"], "60", [
    'spec.payment.maxTimeoutSeconds is "60"; write it without quotes: 60',
  ]],
  ["a timeout that is not whole", ["spec", "payment", "maxTimeoutSeconds"], 30.5, [
    "spec.payment.maxTimeoutSeconds is 30.5, a number; it must be a whole number",
  ]],
  ["a timeout that facilitators refuse", ["spec", "payment", "maxTimeoutSeconds"], 9, [
    "spec.payment.maxTimeoutSeconds is 9; the smallest allowed value is 10",
  ]],
  ["a timeout of more than an hour", ["spec", "payment", "maxTimeoutSeconds"], 3601, [
    "spec.payment.maxTimeoutSeconds is 3601; the largest allowed value is 3600",
  ]],
  ["an unknown time of settlement", ["spec", "payment", "settle"], "never", [
    'spec.payment.settle is "never"; allowed: "after-response", "before-request"',
  ]],
  ["a token address that is too short", ["spec", "payment", "asset", "address"], "0x12", [
    'spec.payment.asset.address is "0x12"; a token address is 0x and 40 hexadecimal digits',
  ]],
  ["half of a token's domain", ["spec", "payment", "asset", "decimals"], 6, [
    "spec.payment.asset.name is missing; name, version and decimals must be given together, or " +
    "none of them for a token that is known on its network",
  ]],
  ["no rules", ["spec", "routes"], [], ["spec.routes is an empty list; it needs at least 1 entry"]],
  ["rules that are no list", ["spec", "routes"], { path: "/" }, [
    "spec.routes is an object; it must be a list",
  ]],
  ["too many rules", ["spec", "routes"], Array(1001).fill({ path: "/" }), [
    "spec.routes is a list; at most 1000 entries are allowed",
  ]],
  ["a rule that is only a path", ["spec", "routes", 1], "/api", [
    'spec.routes[1] is "/api"; it must be an object',
  ]],
  ["a rule that is null", ["spec", "routes", 1], null, [
    "spec.routes[1] is null; it must be an object",
  ]],
  ["a path without a slash", ["spec", "routes", 1, "path"], "api", [
    'spec.routes[1].path is "api"; a path pattern starts with "/"',
  ]],
  ["an empty path", ["spec", "routes", 1, "path"], "", [
    'spec.routes[1].path is empty; a path pattern starts with "/"',
  ]],
  ["a price without quotes", ["spec", "routes", 1, "price"], 0.001, [
    'spec.routes[1].price is 0.001, a number; write it as a string: "0.001"',
  ]],
  ["a tiny price without quotes", ["spec", "routes", 1, "price"], 1e-7, [
    "spec.routes[1].price is 1e-7, a number; write it in quotes",
  ]],
  ["a negative price", ["spec", "routes", 1, "price"], "-0.001", [
    'spec.routes[1].price is "-0.001"; a price is a positive decimal number in the token\'s ' +
    'unit, such as "0.001" or "$0.001" (the smallest possible one is "0.000001" with the 6 ' +
    "decimals of USDC)",
  ]],
  ["free in quotes", ["spec", "routes", 1, "free"], "true", [
    'spec.routes[1].free is "true"; write it without quotes: true',
  ]],
  ["free that is no boolean", ["spec", "routes", 1, "free"], "yes", [
    'spec.routes[1].free is "yes"; it must be true or false',
  ]],
  ["a lower case method", ["spec", "routes", 1, "methods"], ["get"], [
    'spec.routes[1].methods[0] is "get"; allowed: "GET", "POST", "PUT", "PATCH", "DELETE", ' +
    '"OPTIONS"',
  ]],
  ["mode conditional without conditions", ["spec", "routes", 1, "mode"], "conditional", [
    "spec.routes[1].conditions is missing; mode conditional needs at least one entry in conditions",
  ]],
  ["a broken condition", ["spec", "routes", 1, "conditions"], [
    { header: "User Agent", pattern: "", action: "deny" },
  ], [
    'spec.routes[1].conditions[0].header is "User Agent"; a header name consists of letters, ' +
    "digits and !#$%&'*+-.^_`|~",
    "spec.routes[1].conditions[0].pattern is empty; it needs at least one character",
    'spec.routes[1].conditions[0].action is "deny"; allowed: "pay", "free"',
  ]],
  ["a name that is too long", ["spec", "ingressRef", "name"], "n".repeat(254), [
    `spec.ingressRef.name is "${"n".repeat(60)}..."; at most 253 characters are allowed`,
  ]],
  ["an empty file", [], null, ["the manifest is null; it must be an object"]],
];

for (const [name, path, value, messages] of refusals) {
  Deno.test(`parseX402Route refuses ${name}`, () => {
    const problems = problemsOf(replaced(validManifest(), path, value));
    assert.deepEqual(problems.map(({ message }) => message), messages);
  });
}

Deno.test("parseX402Route reports all problems at once, each with the path to its field", () => {
  const manifest = validManifest();
  replaced(manifest, ["spec", "payment", "asset", "decimals"], "6");
  replaced(manifest, ["spec", "routes", 0, "mode"], "conditional");
  replaced(manifest, ["spec", "routes", 0, "price"], 1);
  replaced(manifest, ["spec", "routes", 1, "colour"], "red");
  assert.deepEqual(problemsOf(manifest).map(({ path }) => path.join(".")).sort(), [
    "spec.payment.asset.decimals",
    "spec.payment.asset.name",
    "spec.routes.0.conditions",
    "spec.routes.0.price",
    "spec.routes.1.colour",
  ]);
});

function validManifest(): unknown {
  return {
    apiVersion: "x402.io/v1alpha1",
    kind: "X402Route",
    metadata: { name: "api" },
    spec: {
      ingressRef: { name: "api" },
      payment: { wallet: "0x...", network: "base", asset: { address: `0x${"1".repeat(40)}` } },
      routes: [{ path: "/free", free: true }, { path: "/**" }],
    },
  };
}

/** Sets the field at `path` of the manifest in place; an empty path replaces the manifest. */
function replaced(manifest: unknown, path: Path, value: unknown): unknown {
  if (path.length === 0) return value;
  const parent = path.slice(0, -1).reduce<unknown>((at, key) => (at as never)[key], manifest);
  const field = path.at(-1)!;
  if (value === absent) delete (parent as Record<string, unknown>)[field];
  else (parent as Record<string, unknown>)[field] = value;
  return manifest;
}

function problemsOf(raw: unknown): readonly Problem[] {
  const parsed = parseX402Route(raw);
  return parsed.ok ? [] : parsed.problems;
}
