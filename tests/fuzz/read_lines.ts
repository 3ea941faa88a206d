import { type ParserHabits, Refused } from "./habits.ts";

/** Lines of a message, as a parser with these habits sees them. */
export class LineReader {
  /** @param at offset into the text, in characters */
  constructor(readonly text: string, public at: number, readonly habits: ParserHabits) {}

  /**
   * The next line without its end; undefined when the text ends before.
   * @throws {Refused}
   */
  next(): string | undefined {
    const { text, habits } = this;
    const start = this.at;
    const end = /[\r\n]/g;
    end.lastIndex = start;
    for (let found = end.exec(text); found !== null; found = end.exec(text)) {
      const { index } = found;
      if (found[0] === "\n") {
        if (habits.lf === "refused") throw new Refused("a bare line feed", index);
        if (habits.lf === "kept") continue;
        return this.#line(start, index, index + 1);
      }
      // Whether a line feed follows is not known yet.
      if (index + 1 >= text.length) return undefined;
      if (text[index + 1] === "\n") return this.#line(start, index, index + 2);
      if (habits.cr === "refused") throw new Refused("a bare carriage return", index);
      if (habits.cr === "ends line") return this.#line(start, index, index + 1);
    }
    return undefined;
  }

  /** What stands between white space lines at the very beginning is a request (RFC 9112, 2.2). */
  skipEmptyLines(): void {
    const empty = this.habits.strict ? /(?:\r\n)*/y : /(?:\r?\n|\r)*/y;
    empty.lastIndex = this.at;
    this.at += empty.exec(this.text)![0].length;
  }

  #line(start: number, end: number, next: number): string {
    this.at = next;
    return this.text.slice(start, end);
  }
}
