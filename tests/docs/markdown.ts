/** What the tests of the documentation read of a Markdown file. */

export interface Block {
  /** Relative to the root of the repository. */
  readonly file: string;
  /** Of the opening fence. */
  readonly line: number;
  /** `sh`, `yaml`, ...; empty for drawings. */
  readonly language: string;
  readonly text: string;
}

export interface Page {
  readonly file: string;
  readonly blocks: readonly Block[];
  /** Targets of links in the text, in order. */
  readonly links: readonly string[];
  /** Anchors of the headings, as GitHub makes them. */
  readonly anchors: ReadonlySet<string>;
  /** Inline code of the text. */
  readonly code: readonly string[];
}

const root = new URL("../../", import.meta.url);

/** @param file relative to the root of the repository */
export function readPage(file: string): Page {
  const blocks: Block[] = [];
  const prose: string[] = [];
  let open: { fence: string; indent: number; line: number; language: string } | undefined;
  let text: string[] = [];
  for (const [index, line] of Deno.readTextFileSync(new URL(file, root)).split("\n").entries()) {
    const [, indent = "", fence, language = ""] = /^( *)(```+)(\w*) *$/.exec(line) ?? [];
    if (open === undefined && fence !== undefined) {
      open = { fence, indent: indent.length, line: index + 1, language };
      text = [];
    } else if (open !== undefined && fence === open.fence && language === "") {
      const { line, language } = open;
      blocks.push({ file, line, language, text: text.join("\n") + "\n" });
      open = undefined;
    } else if (open !== undefined) text.push(line.slice(open.indent));
    else prose.push(line);
  }
  if (open !== undefined) throw new Error(`${file}:${open.line}: this block has no end`);
  return { file, blocks, ...readProse(prose.join("\n")) };
}

function readProse(text: string): Pick<Page, "links" | "anchors" | "code"> {
  const code = [...text.matchAll(/(?<!`)`([^`]+)`(?!`)/g)].map(([, inside]) => inside!);
  const plain = text.replaceAll(/(?<!`)`[^`]+`(?!`)/g, "`");
  const links = [...plain.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!);
  const headings = [...text.matchAll(/^#{1,6} +(.+)$/gm)].map(([, heading]) => heading!);
  return { links, anchors: new Set(headings.map(anchorOf)), code };
}

function anchorOf(heading: string): string {
  return heading.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, "").trim().replaceAll(" ", "-");
}
