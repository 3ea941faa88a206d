import { RE2JS } from "re2js";

/**
 * Instructions of the compiled patterns. A step takes about 25 ns for each instruction and character:
 * a header of 8 KiB takes at most 0.1 s for one pattern, and 0.2 s for all of a rule.
 */
const maxPatternSize = 500;
const maxRuleSize = 1000;

/**
 * What is wrong with the patterns of one rule's conditions, in their order: `fields` is where, below
 * the rule, and the sentence goes on after the field's name.
 */
export function patternProblems(
  patterns: readonly string[],
): { fields: (string | number)[]; sentence: string }[] {
  const sizes = patterns.map(patternSize);
  const problems = sizes.flatMap((size, index) => {
    const sentence = `is ${excerpt(patterns[index]!)}, which `;
    const fields = ["conditions", index, "pattern"];
    if (typeof size !== "number") {
      return [{
        fields,
        sentence: `${sentence}is not a regular expression in RE2 syntax: ${size.refused}`,
      }];
    }
    if (size <= maxPatternSize) return [];
    const reason = `compiles to ${size} steps; at most ${maxPatternSize} are allowed, so that no ` +
      "header takes long to search";
    return [{ fields, sentence: sentence + reason }];
  });
  const total = sizes.reduce<number>((sum, size) => sum + (typeof size === "number" ? size : 0), 0);
  if (problems.length === 0 && total > maxRuleSize) {
    const sentence = `compile to ${total} steps together; at most ${maxRuleSize} are allowed`;
    problems.push({ fields: ["conditions"], sentence });
  }
  return problems;
}

function patternSize(pattern: string): number | { refused: string } {
  try {
    return RE2JS.compile(pattern).programSize();
  } catch (error) {
    return { refused: error instanceof Error ? error.message : String(error) };
  }
}

function excerpt(pattern: string): string {
  return JSON.stringify(pattern.length > 60 ? `${pattern.slice(0, 60)}...` : pattern);
}
