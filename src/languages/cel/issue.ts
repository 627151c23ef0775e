/** Something wrong with an expression, where `offset` (UTF-16 units into the source) says. */
export interface CelIssue {
  readonly code: "CEL_SYNTAX" | "CEL_TYPE" | "CEL_LITERAL" | "CEL_LIMIT" | "CEL_PROGRAM";
  /** In cel-go's words. */
  readonly message: string;
  /** -1: the expression as a whole. */
  readonly offset: number;
  /** How many UTF-16 units to underline. */
  readonly length: number;
}

export type Checked<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly issues: readonly CelIssue[] };

export interface LineColumn {
  /** From 1. */
  readonly line: number;
  /** In code points, from 1. */
  readonly column: number;
}

function lineColumn(source: string, offset: number): LineColumn {
  if (offset < 0) return { line: -1, column: 0 };
  const before = source.slice(0, offset);
  const start = before.lastIndexOf("\n") + 1;
  return { line: before.split("\n").length, column: Array.from(before.slice(start)).length + 1 };
}

/** A source line longer than this is not repeated below the message. */
const maxSnippet = 16_384;

/** The issue as cel-go prints it: position, message, the line, and a caret below. */
export function formatIssue(source: string, issue: CelIssue): string {
  // Nothing has no first column, and no line to repeat.
  if (source === "") return `ERROR: <input>:1:0: ${issue.message}`;
  const { line, column } = lineColumn(source, issue.offset);
  const head = `ERROR: <input>:${line}:${column}: ${issue.message}`;
  const text = issue.offset < 0 ? undefined : source.split("\n")[line - 1]?.replaceAll("\t", " ");
  if (text === undefined || text.length > maxSnippet) return head;
  const characters = Array.from(text);
  const wide = (char: string) => char.charCodeAt(0) > 0x7f;
  const dots = characters.slice(0, column - 1).map((char) => (wide(char) ? "\uff0e" : "."));
  const marked = characters[column - 1] ?? "";
  return `${head}\n | ${text}\n | ${dots.join("")}${wide(marked) ? "\uff3e" : "^"}`;
}

/** All issues in source order, as cel-go prints them. */
export function formatIssues(source: string, issues: readonly CelIssue[]): string {
  return issues
    .toSorted((a, b) => a.offset - b.offset)
    .map((issue) => formatIssue(source, issue))
    .join("\n");
}
