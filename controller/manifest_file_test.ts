import assert from "node:assert/strict";
import { parseManifestFile } from "./manifest_file.ts";

const refused: readonly [fault: string, text: string, line: number, reason: RegExp][] = [
  ["an empty file", "", 1, /is empty; an editor may be about to write it/],
  ["a file of blank lines", "\n \n", 1, /is empty/],
  ["a file of comments", "# nothing yet\n", 1, /is empty/],
  ["a file of empty documents", "---\n---\nnull\n", 1, /is empty/],
  ["a List without items", "apiVersion: v1\nkind: List\nitems:\n", 3, /must be a list of objects/],
  ["a List of a map", "apiVersion: v1\nkind: List\nitems: { a: 1 }\n", 3, /must be a list of/],
  ["a List in itself", "&l\napiVersion: v1\nkind: List\nitems:\n  - *l\n", 4, /must be a list/],
  ["nothing in a List", "apiVersion: v1\nkind: List\nitems:\n  -\n", 4, /not a Kubernetes object/],
  ["one mistake with many YAML errors", "a: [\nb: }\nc: ]\n: : :\n", 2, /./],
  ["an alias to nothing far down", "apiVersion: v1\nkind: Service\nmetadata: *m\n", 3, /alias/i],
  ["metadata that is a list", "apiVersion: v1\nkind: Service\nmetadata: [1]\n", 3, /is a list; it/],
  ["a YAML error", "kind: List\nitems: [\n", 3, /flow/i],
  ["a key twice", "a: 1\na: 2\n", 2, /unique/],
  ["an alias to nothing", "kind: Other\napiVersion: v1\n---\nb: *c\n", 4, /alias/i],
  ["no object", "# a comment\n- a\n", 2, /not a Kubernetes object/],
  ["a text", "hello", 1, /not a Kubernetes object/],
  ["an object without kind", "apiVersion: v1\nmetadata: { name: a }\n", 1, /apiVersion and kind/],
  ["an object without apiVersion", "kind: Service\n", 1, /apiVersion and kind/],
  [
    "a route without a name",
    "apiVersion: x402.io/v1alpha1\nkind: X402Route\nmetadata:\n  labels: {}\n",
    3,
    /^X402Route: metadata\.name is missing; it must be a string$/,
  ],
  [
    "a namespace that is a number",
    "apiVersion: v1\nkind: Service\nmetadata:\n  name: a\n  namespace: 5\n",
    5,
    /^Service: metadata\.namespace is 5, a number; write it as a string: "5"$/,
  ],
  [
    "an Ingress without pathType, in the second document",
    "kind: Other\napiVersion: v1\n---\napiVersion: networking.k8s.io/v1\nkind: Ingress\n" +
    "metadata: { name: a }\nspec:\n  rules:\n    - http:\n        paths:\n" +
    "          - path: /\n            backend: {}\n",
    11,
    /^Ingress default\/a: spec\.rules\[0\]\.http\.paths\[0\]\.pathType is missing/,
  ],
  [
    "an Ingress of an old version",
    "apiVersion: extensions/v1beta1\nkind: Ingress\nmetadata: { name: a }\nspec: {}\n",
    1,
    /apiVersion is "extensions\/v1beta1"; it must be "networking\.k8s\.io\/v1"/,
  ],
];
for (const [fault, text, line, reason] of refused) {
  Deno.test(`${fault} is an error of the file`, () => {
    const { objects, errors } = parseManifestFile("f.yaml", text);
    assert.deepEqual(objects, []);
    assert.equal(errors.length, 1, JSON.stringify(errors));
    assert.equal(errors[0]!.file, "f.yaml");
    assert.equal(errors[0]!.line, line, errors[0]!.reason);
    assert.match(errors[0]!.reason, reason);
  });
}

Deno.test("a bomb of aliases is an error, not an explosion", () => {
  const levels = "bcdefghij".split("").map((key, depth) => {
    const alias = `*${"abcdefghi"[depth]}`;
    return `${key}: &${key} [${Array(9).fill(alias)}]`;
  });
  const { errors } = parseManifestFile("f.yaml", ["a: &a [x]", ...levels].join("\n"));
  assert.match(errors[0]!.reason, /alias/i);
});

const ignored: readonly [what: string, text: string][] = [
  ["other kinds", "apiVersion: v1\nkind: ConfigMap\n"],
  ["Knative's Service", "apiVersion: serving.knative.dev/v1\nkind: Service\n"],
  ["another Ingress", "apiVersion: config.openshift.io/v1\nkind: Ingress\n"],
];
for (const [what, text] of ignored) {
  Deno.test(`${what} are of no interest`, () => {
    assert.deepEqual(parseManifestFile("f.yaml", text), { objects: [], errors: [] });
  });
}

const list = `# The second document of this file is a list.
kind: Other
apiVersion: v1
---
apiVersion: v1
kind: List
items:
  - apiVersion: v1
    kind: Service
    metadata: { name: api, namespace: shop }
    spec: {}
  - apiVersion: x402.io/v1alpha1
    kind: X402Route
    metadata: &meta
      name: paid
    spec:
      routes:
        - path: /a
        - path: /b
          price: 1
    copy: *meta
`;
Deno.test("lists in lists are taken apart", () => {
  const inner = list.slice(list.indexOf("apiVersion: v1\nkind: List")).replaceAll("\n", "\n    ");
  const { objects, errors } = parseManifestFile(
    "f.yaml",
    `apiVersion: v1\nkind: List\nitems:\n  - ${inner}`,
  );
  assert.deepEqual(errors, []);
  assert.deepEqual(objects.map(({ kind }) => kind), ["Service", "X402Route"]);
  assert.equal(objects[1]!.lineOf(["spec", "routes", 1, "price"]), 19);
});

const ingress = (path: string, host = "a.example") =>
  JSON.stringify({
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name: "a" },
    spec: { rules: [{ host, http: { paths: [{ path, pathType: "Prefix", backend: {} }] } }] },
  });
const errorsOf = (text: string) =>
  parseManifestFile("f.json", text).errors.map(({ reason }) => reason).join();

for (const path of ["x", "", "/x//y", "/x/../y", "/.", "/a%2Fb"]) {
  Deno.test(`an Ingress path as Kubernetes refuses it: ${path}`, () => {
    assert.match(errorsOf(ingress(path)), /\.path is .*starts with "\/"/);
  });
}

for (
  const host of ["a.example.", "a.example:80", "*", "a.*.com", "*a.com", " a", "ü.de", "1.2.3.4"]
) {
  Deno.test(`an Ingress host that is no DNS name: ${JSON.stringify(host)}`, () => {
    assert.match(errorsOf(ingress("/", host)), /a host is a DNS name/);
  });
}

for (const host of ["", "localhost", "A.example", "*.a-b.example", "1.example", "a".repeat(63)]) {
  Deno.test(`an Ingress host that is a DNS name or none: ${JSON.stringify(host)}`, () => {
    assert.equal(errorsOf(ingress("/..a", host)), "");
  });
}

for (const port of [0, 65536]) {
  Deno.test(`port ${port} of a Service is refused`, () => {
    const service = { apiVersion: "v1", kind: "Service", metadata: { name: "a" } };
    const text = JSON.stringify({ ...service, spec: { ports: [{ port }] } });
    assert.match(
      errorsOf(text),
      /spec\.ports\[0\]\.port is \d+; the .* allowed value is (1|65535)$/,
    );
  });
}

Deno.test("objects of a list are found, with the lines of their fields", () => {
  const { objects, errors } = parseManifestFile("f.yaml", list);
  assert.deepEqual(errors, []);
  assert.deepEqual(objects.map(({ kind }) => kind), ["Service", "X402Route"]);
  const [service, route] = objects;
  assert.equal(service!.object.metadata.namespace, "shop");
  assert.equal(route!.object.metadata.namespace, "default");
  const lines: readonly [path: (string | number)[], line: number][] = [
    [[], 12],
    [["spec", "routes", 0], 18],
    [["spec", "routes", 1, "path"], 19],
    [["spec", "routes", 1, "price"], 20],
    [["spec", "routes", 1, "missing"], 19],
    [["spec", "routes", 7, "price"], 17],
    [["spec", "payment", "wallet"], 16],
    [["copy", "name"], 15],
  ];
  for (const [path, line] of lines) assert.equal(route!.lineOf(path), line, path.join("."));
});

Deno.test("JSON is read too, and our API group in any spelling of kind and version", () => {
  const text = JSON.stringify({
    apiVersion: "x402.io/v9",
    kind: "x402route",
    metadata: { name: "a" },
  });
  const { objects } = parseManifestFile("f.json", text);
  assert.deepEqual(objects.map(({ kind }) => kind), ["X402Route"]);
});
