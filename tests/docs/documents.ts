import { type Block, type Page, readPage } from "./markdown.ts";

const root = new URL("../../", import.meta.url);

/** All that is for people to read; CHANGELOG.md is about what was. */
function files(): string[] {
  const top = [
    ...["README.md", "CONTRIBUTING.md", "CODE_OF_CONDUCT.md", "ARCHITECTURE.md", "SECURITY.md"],
    "deploy/chart/README.md",
  ];
  const docs = [...Deno.readDirSync(new URL("docs/", root))].map(({ name }) => `docs/${name}`);
  return [...top, ...docs.filter((file) => file.endsWith(".md")).sort()];
}

export const pages: readonly Page[] = files().map(readPage);

/** The blocks of one language, or of all. */
export function blocks(language: string): Block[] {
  return pages.flatMap((page) => page.blocks).filter((block) => block.language === language);
}

/** For the name of a test step. */
export function placeOf({ file, line }: Block): string {
  return `${file}:${line}`;
}

/** Where the money of the examples goes, in the place of their placeholder. */
export const wallet = "0x1f6004907Adc7d313768b85917e069e011150390";

/** The text as a reader uses it, who puts an address of their own into it. */
export function filledIn({ text }: Block): string {
  return text.replaceAll("0xYourWalletAddress", wallet);
}

/** YAML that is neither a Kubernetes object nor values of the chart, and what it is. */
export const otherYaml: readonly { file: string; begins: string; why: string }[] = [
  {
    file: "docs/plan.md",
    begins: "ingresses:",
    why: "the output of plan, with comments; commands/plan_test.ts has the real one",
  },
];

/**
 * Kinds whose schema is not in this repository. The examples were applied to a real API server with
 * the CRDs of Argo CD 3.5.0, kustomize-controller 1.9.1 and source-controller 1.9.1, with strict
 * field validation; here they are only parsed.
 */
export const foreignKinds: ReadonlySet<string> = new Set([
  "Application",
  "Kustomization",
  "OCIRepository",
  "HelmRelease",
]);
