/** The documentation says what is so: links, commands, flags, metrics and manifests of every page. */
import assert from "node:assert/strict";
import { parse, parseAllDocuments } from "yaml";
import { metricCatalogue } from "../store/metric_catalogue.ts";
import { blocks, filledIn, foreignKinds, otherYaml, pages, placeOf } from "./docs/documents.ts";
import { checkOther, otherPrograms } from "./docs/other_programs.ts";
import { parseProgram, programFlags } from "./docs/program_flags.ts";
import { type ShellCommand, shellCommands } from "./docs/shell.ts";

const root = new URL("../", import.meta.url);
const denoConfig = JSON.parse(Deno.readTextFileSync(new URL("deno.json", root)));

function exists(path: string | URL): boolean {
  try {
    return Deno.statSync(path) !== undefined;
  } catch {
    return false;
  }
}

Deno.test("docs: every link within the repository leads somewhere", () => {
  const broken: string[] = [];
  for (const { file, links } of pages) {
    for (const link of links.filter((link) => !/^[a-z]+:/.test(link))) {
      const url = new URL(link, new URL(file, root));
      const anchor = decodeURIComponent(url.hash.slice(1));
      url.hash = "";
      const target = decodeURIComponent(url.pathname).slice(root.pathname.length);
      const page = pages.find(({ file }) => file === target);
      if (!exists(url)) broken.push(`${file}: ${link} is not there`);
      else if (anchor !== "" && !page?.anchors.has(anchor)) {
        broken.push(`${file}: ${target} has no heading #${anchor}`);
      }
    }
  }
  assert.deepEqual(broken, []);
});

Deno.test("docs: every page is in README's table, or linked from a page that is", () => {
  const linked = new Set(["README.md"]);
  for (const file of linked) {
    for (const link of pages.find((page) => page.file === file)?.links ?? []) {
      const { pathname } = new URL(link, new URL(file, root));
      if (pathname.startsWith(root.pathname)) linked.add(pathname.slice(root.pathname.length));
    }
  }
  assert.deepEqual(pages.map(({ file }) => file).filter((file) => !linked.has(file)), []);
});

Deno.test("docs: commands exist, with the flags and values that they are given", async (t) => {
  for (const block of blocks("sh")) {
    await t.step(placeOf(block), async () => {
      const commands = shellCommands(block.text);
      const wrong = await Promise.all(commands.map(async (command) => {
        const problem = await problemOf(command);
        return problem === undefined ? [] : [`${command.words.join(" ")}: ${problem}`];
      }));
      assert.deepEqual(wrong.flat(), []);
    });
  }
});

async function problemOf(command: ShellCommand): Promise<string | undefined> {
  const unknown = command.variables.map((it) => it.split("=")[0]!).find((name) =>
    name.startsWith("X402_") &&
    !Deno.readTextFileSync(new URL("docs/flags.md", root)).includes(name)
  );
  if (unknown !== undefined) return `there is no variable ${unknown}`;
  const [program = "", ...args] = command.words;
  if (program === "x402-k8s-operator") return await parseProgram(args);
  if (program === "npx") {
    const [, yes, deno, ...rest] = command.words;
    if (yes !== "-y" || deno !== `deno@${Deno.version.deno}`) return "this is another Deno";
    return await denoProblem(rest);
  }
  if (program === "deno") return await denoProblem(args);
  const inside = args.indexOf("--") + 1;
  const asked = inside > 0 && args[inside] === "x402-k8s-operator"
    ? await parseProgram(args.slice(inside + 1))
    : undefined;
  return asked ?? checkOther(command) ?? fileProblem(args);
}

async function denoProblem([verb = "", ...args]: readonly string[]): Promise<string | undefined> {
  if (verb === "task") {
    return args[0]! in denoConfig.tasks ? undefined : `there is no task ${args[0]}`;
  }
  if (verb === "run") {
    const main = args.indexOf("main.ts");
    const set = args.find((arg) => arg.startsWith("-P="))?.slice(3);
    if (set !== undefined && !(set in denoConfig.permissions)) return `no permissions ${set}`;
    if (main >= 0) return await parseProgram(args.slice(main + 1));
  }
  if (verb === "eval") {
    const check = ["eval", `void (async () => { ${args[0]} });`];
    const { success } = await new Deno.Command(Deno.execPath(), { args: check }).output();
    return success ? undefined : "this is no code";
  }
  if (verb === "test") return fileProblem(args);
  return `nothing is known of deno ${verb} here`;
}

/** Files of this repository have to be there; the others are the reader's. */
function fileProblem(args: readonly string[]): string | undefined {
  const missing = args.find((arg) =>
    /^(?:crd|deploy|tests|docs)\//.test(arg) && !exists(new URL(arg, root))
  );
  return missing === undefined ? undefined : `${missing} is not there`;
}

Deno.test("docs: flags that the text names exist", async () => {
  const flags = await programFlags();
  const others = new Set(Object.values(otherPrograms).flatMap(({ flags }) => flags));
  const tasks = JSON.stringify(denoConfig.tasks);
  const ofTools = ["--doc", "--set", "--help", "--check", "--take-ownership"];
  const unknown = pages.flatMap(({ file, code }) =>
    code.flatMap((text) => text.match(/(?<![\w-])--[a-z][a-z0-9-]+/g) ?? [])
      .filter((flag) =>
        !flags.has(flag) && !others.has(flag) && !ofTools.includes(flag) && !tasks.includes(flag)
      ).map((flag) => `${file}: ${flag}`)
  );
  assert.deepEqual(unknown, []);
});

Deno.test("docs: metrics that the text names exist", () => {
  const unknown = pages.flatMap(({ file, code }) =>
    code.flatMap((text) => text.match(/\bx402_[a-z_]+\b(?!\*)/g) ?? [])
      .filter((name) => !(name.replace(/_(?:bucket|sum|count)$/, "") in metricCatalogue))
      .map((name) => `${file}: ${name}`)
  );
  assert.deepEqual(unknown, []);
});

Deno.test("docs: there are no blocks of a kind that nothing here looks at", () => {
  const looked = ["sh", "yaml", "json", ""];
  const others = pages.flatMap((page) => page.blocks).filter((it) => !looked.includes(it.language));
  assert.deepEqual(others.map((block) => `${placeOf(block)}: ${block.language}`), []);
  // Drawings: no command may hide in them.
  const hidden = blocks("").filter(({ text }) => /^\s*(?:\$ |kubectl |helm |deno )/m.test(text));
  assert.deepEqual(hidden.map(placeOf), []);
});

Deno.test("docs: YAML and JSON can be read, and it is known what each is", async (t) => {
  for (const block of blocks("json")) {
    await t.step(placeOf(block), () => void JSON.parse(block.text));
  }
  for (const block of blocks("yaml")) {
    await t.step(placeOf(block), () => {
      const documents = parseAllDocuments(filledIn(block));
      for (const { errors } of documents) assert.deepEqual(errors, []);
      const known = otherYaml.some(({ file, begins }) =>
        file === block.file && block.text.startsWith(begins)
      );
      if (known) return;
      if (block.text.startsWith("# values.yaml")) return assertValues(documents[0]!.toJS());
      for (const document of documents) {
        const { kind, apiVersion } = document.toJS();
        assert.ok(kind && apiVersion, "no object, no values: add it to otherYaml, with the reason");
        const here = objectKinds.has(kind) || foreignKinds.has(kind);
        assert.ok(here, `${kind}: nothing checks it; see tests/docs/objects_test.ts`);
      }
    });
  }
});

/** Checked by `tests/docs/manifests_test.ts` and, on an API server, `tests/docs/objects_test.ts`. */
const objectKinds = new Set(["X402Route", "Ingress", "Service", "Deployment", "Secret"]);

/** Every key is one that the chart has a default for. */
function assertValues(values: unknown): void {
  const chart = parse(Deno.readTextFileSync(new URL("deploy/chart/values.yaml", root)));
  const walk = (given: unknown, known: unknown, path: string): string[] => {
    if (typeof given !== "object" || given === null || Array.isArray(given)) return [];
    // What has no keys by default takes any.
    const free = typeof known !== "object" || known === null || Object.keys(known).length === 0;
    if (free) return [];
    return Object.entries(given).flatMap(([key, value]) =>
      key in known
        ? walk(value, (known as Record<string, unknown>)[key], `${path}${key}.`)
        : [`${path}${key}`]
    );
  };
  assert.deepEqual(walk(values, chart, ""), [], "the chart has no such values");
}
