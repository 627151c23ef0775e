import type { Place } from "./ast.ts";

/** OPA's codes of what can be wrong with a module. */
export type RegoIssueCode =
  | "rego_parse_error"
  | "rego_compile_error"
  | "rego_type_error"
  | "rego_unsafe_var_error"
  | "rego_recursion_error";

/** Something wrong with a module, in OPA's words. */
export interface RegoIssue {
  readonly code: RegoIssueCode;
  readonly message: string;
  readonly file: string;
  /** Undefined: the module as a whole. */
  readonly at: Place | undefined;
}

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly issues: readonly RegoIssue[] };

/** `file:line: code: message`, as OPA prints it. */
export function formatIssue(issue: RegoIssue): string {
  const place = issue.at === undefined ? issue.file : `${issue.file}:${issue.at.line}`;
  return `${place === "" ? "" : `${place}: `}${issue.code}: ${issue.message}`;
}

/** The line of `source` in which the issue stands, and a caret below its column. */
export function quoteLine(source: string, at: Place): string {
  const line = source.split(/\r?\n/)[at.line - 1] ?? "";
  const indent = line.length - line.trimStart().length;
  return `${line.trimStart()}\n${" ".repeat(Math.max(0, at.column - 1 - indent))}^`;
}
