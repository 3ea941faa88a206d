import assert from "node:assert/strict";
import { join } from "node:path";
import { runCommand } from "../tests/support/run_command.ts";

const route = (spec: string) =>
  `apiVersion: x402.io/v1alpha1
kind: X402Route
metadata:
  name: api
  namespace: shop
spec:
  ingressRef:
    name: api
  payment:
    wallet: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
    network: base
    facilitatorURL: https://facilitator.example.com
    defaultPrice: "0.001"
  routes:
${spec}`;

const paid = route("    - path: /api/**\n");

const manual = route(
  "    - path: /api/**\n      backend: { service: { name: api, port: { number: 80 } } }\n",
).replace("    name: api\n  payment", "    name: api\n    mode: Manual\n  payment");

const ingress = `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: api
  namespace: shop
spec:
  rules:
    - host: api.example.com
      http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service:
                name: api
                port:
                  number: 80
`;

const service = (spec: string) =>
  `apiVersion: v1
kind: Service
metadata:
  name: api
  namespace: shop
spec: ${spec}
`;

const normal = service("{ ports: [{ port: 80 }] }");
const external = service(
  "{ type: ExternalName, externalName: example.com, ports: [{ port: 80 }] }",
);

/** Runs in a folder with these files; F in the arguments is the folder. */
async function validate(files: Record<string, string>, ...args: string[]) {
  const folder = await Deno.makeTempDir({ prefix: "validate-" });
  try {
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(join(folder, name), text);
    }
    const given = args.map((arg) => arg.replace(/^F\b/, folder));
    const { code, stdout, stderr } = await runCommand(["validate", ...given]);
    return { code, stderr, lines: stdout.replaceAll(`${folder}/`, "").trimEnd().split("\n") };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const noted = "note: X402Route shop/api: the Ingress that it names is not among these files";

const cases: {
  readonly name: string;
  readonly files: Record<string, string>;
  readonly args?: string[];
  readonly code: number;
  readonly lines: (string | RegExp)[];
}[] = [
  {
    name: "complete and right",
    files: { "a.yaml": `${paid}---\n${ingress}---\n${normal}` },
    code: 0,
    lines: ["valid: 1 X402Route, 1 Ingress, 1 Service"],
  },
  {
    name: "an Ingress that is elsewhere",
    files: { "a.yaml": paid },
    code: 0,
    lines: [`a.yaml:7: ${noted}, so it is not checked.`, /^valid: .*; 1 note$/],
  },
  {
    name: "--strict: nothing is elsewhere",
    files: { "a.yaml": paid },
    args: ["--strict"],
    code: 1,
    lines: [
      /^a.yaml:7: error: X402Route shop\/api: .*Ingress shop\/api, which does not exist/,
      /^not/,
    ],
  },
  {
    name: "a Service that is elsewhere",
    files: { "a.yaml": paid, "b.yaml": ingress },
    code: 0,
    lines: [
      "b.yaml:13: note: Ingress shop/api: Service shop/api is not among these files, so its ports " +
      "are not checked.",
      /^valid/,
    ],
  },
  {
    name: "a Service of a Manual X402Route that is elsewhere",
    files: {
      "a.yaml": manual,
      "b.yaml": ingress.replace(
        "name: api\n                port",
        "name: x402-gateway\n                port",
      ),
    },
    code: 0,
    lines: [
      /^a.yaml:17: note: X402Route shop\/api: Service shop\/api is not among these files/,
      /^valid/,
    ],
  },
  {
    name: "--strict: nor is a Service",
    files: { "a.yaml": paid, "b.yaml": ingress },
    args: ["--strict"],
    code: 1,
    lines: [/^a.yaml:7: error: .*Service shop\/api does not exist/, /^not valid/],
  },
  {
    name: "a Service of type ExternalName",
    files: { "a.yaml": `${paid}---\n${ingress}---\n${external}` },
    code: 1,
    lines: [
      /^a.yaml:7: error: .*ExternalName, which is not allowed/,
      /^a.yaml:7: error: .*ExternalName, which is not allowed/,
      /^not valid: .*; 2 errors$/,
    ],
  },
  {
    name: "--allow-external-name",
    files: { "a.yaml": `${paid}---\n${ingress}---\n${external}` },
    args: ["--allow-external-name"],
    code: 0,
    lines: [/^valid/],
  },
  {
    name: "all mistakes at once, each with its line",
    files: {
      "a.yaml": route('    - path: /a*\n    - path: /b\n      price: "0.0000001"\n'),
      "b.yaml": "kind: [",
      "c.yaml": "",
    },
    code: 1,
    lines: [
      new RegExp(`^a.yaml:7: ${noted}`),
      /^a.yaml:15: error: .*"\/a\*" has the segment "a\*"/,
      /^a.yaml:17: error: .*price/,
      /^b.yaml:1: error: /,
      /^c.yaml:1: error: the file is empty/,
      /^not valid: 1 X402Route.*; 4 errors, 1 note$/,
    ],
  },
  {
    name: "an Ingress that must not be patched",
    files: {
      "a.yaml": paid,
      "b.yaml": ingress.replace(
        "  name: api\n",
        "  name: api\n  annotations: { nginx.ingress.kubernetes.io/backend-protocol: GRPC }\n",
      ),
      "c.yaml": normal,
    },
    code: 1,
    lines: [/^a.yaml:7: error: .*backend-protocol: GRPC.* left as it is/, /^not valid/],
  },
  {
    name: "what may not be meant is a warning",
    files: { "a.yaml": `${route("    - path: /api/*\n")}---\n${ingress}---\n${normal}` },
    code: 0,
    lines: [/^a.yaml:15: warning: .*exactly one segment/, /^valid: .*; 1 warning$/],
  },
  {
    name: "an object that is there twice",
    files: { "a.yaml": normal, "b.yaml": normal },
    code: 1,
    lines: [/^b.yaml:1: error: Service shop\/api is already defined in a.yaml line 1/, /^not/],
  },
  {
    name: "a folder without manifests",
    files: { "notes.txt": "" },
    code: 1,
    lines: [/:1: error: the folder has no \*\.yaml, \*\.yml or \*\.json files\.$/, /^not valid/],
  },
];

for (const { name, files, args = [], code, lines } of cases) {
  Deno.test(`validate: ${name}`, async () => {
    const outcome = await validate(files, "-f", "F", ...args);
    assert.equal(outcome.code, code, outcome.lines.join("\n") + outcome.stderr);
    assert.equal(outcome.lines.length, lines.length, outcome.lines.join("\n"));
    lines.forEach((expected, index) => {
      if (typeof expected === "string") assert.equal(outcome.lines[index], expected);
      else assert.match(outcome.lines[index]!, expected);
    });
    assert.equal(outcome.stderr, "");
  });
}

Deno.test("validate: several files, a wrong one, and -o json", async () => {
  const files = { "a.yaml": paid, "b.yaml": ingress, "none.yaml": "" };
  const { code, lines } = await validate(files, "-o", "json", "-f", "F/a.yaml", "F/none.yaml");
  assert.equal(code, 1);
  const { valid, diagnostics } = JSON.parse(lines.join("\n"));
  assert.equal(valid, false);
  const found = diagnostics.map(({ severity, file, line, object }: Record<string, unknown>) => (
    { severity, file, line, object }
  ));
  assert.deepEqual(found, [
    { severity: "note", file: "a.yaml", line: 7, object: "X402Route shop/api" },
    { severity: "error", file: "none.yaml", line: 1, object: undefined },
  ]);
});

Deno.test("validate: standard input, and objects that name no namespace", async () => {
  const stdin = paid.replace("  namespace: shop\n", "");
  const { code, stdout } = await runCommand(["validate", "-f", "-", "-n", "team"], { stdin });
  assert.equal(code, 0);
  assert.match(stdout, /^\(standard input\):6: note: X402Route team\/api: /);
});

Deno.test("validate: without manifests it is used wrongly", async () => {
  const { code, stderr } = await runCommand(["validate"]);
  assert.equal(code, 2);
  assert.match(stderr, /give the manifests with -f <path> or -k <dir>/);
});

Deno.test("validate: X402_ALLOW_EXTERNAL_NAME=false is no", async () => {
  const stdin = `${paid}---\n${ingress}---\n${external}`;
  for (const [value, expected] of [["false", 1], ["true", 0], ["", 2], ["yes", 2]] as const) {
    const env = { X402_ALLOW_EXTERNAL_NAME: value };
    const { code, stderr } = await runCommand(["validate", "-f", "-"], { stdin, env });
    assert.equal(code, expected, `${value}: ${stderr}`);
  }
});
