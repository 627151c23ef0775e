import type { RegoVersion, Rule, Term } from "../ast.ts";
import type { RegoIssue } from "../issue.ts";
import { keywordsOf } from "./token.ts";
import { visitBodyTerms, visitTerms } from "./visit.ts";

/** What v1 and v2 ask of rules that v0 did not. */
export function versionIssues(rules: readonly Rule[], version: RegoVersion, file: string): readonly RegoIssue[] {
  const issues: RegoIssue[] = [];
  for (const first of rules) {
    for (let rule: Rule | undefined = first; rule !== undefined; rule = rule.otherwise) {
      for (const message of v1Problems(rule)) issues.push({ code: "rego_parse_error", message, file, at: rule.at });
      if (version === 2) issues.push(...v2Issues(rule, file));
    }
  }
  return issues;
}

function* v1Problems(rule: Rule): Iterable<string> {
  const { head } = rule;
  const [name] = head.ref;
  const what = head.args.length > 0 ? "function" : "rule";
  if (head.ref.length < 2 && keywordsOf(1).has(name.name)) yield `${name.name} keyword cannot be used for rule name`;
  if (rule.generatedBody && head.generatedValue) yield `${what} must have value assignment and/or body declaration`;
  if (!rule.generatedBody && !head.usesIf && !rule.isDefault) yield `\`if\` keyword is required before ${what} body`;
  if (head.value === undefined && !head.usesContains) yield "`contains` keyword is required for partial set rules";
}

/** The words that v2 adds are no names. */
function v2Issues(rule: Rule, file: string): readonly RegoIssue[] {
  const issues: RegoIssue[] = [];
  const isNew = (word: string): boolean => keywordsOf(2).has(word) && !keywordsOf(1).has(word);
  const [name, ...path] = rule.head.ref;
  if (path.length === 0 && isNew(name.name)) {
    const message = `${name.name} keyword cannot be used for rule name`;
    issues.push({ code: "rego_parse_error", message, file, at: rule.at });
  }
  const seen = new Set<Term>();
  const check = (term: Term): boolean => {
    if (term.kind === "call") {
      for (const arg of term.args) visitTerms(arg, check);
      return false;
    }
    if (term.kind !== "var" || !isNew(term.name) || seen.has(term)) return true;
    seen.add(term);
    const message = `${term.name} keyword cannot be used for variable name`;
    issues.push({ code: "rego_parse_error", message, file, at: term.at });
    return true;
  };
  for (const term of [...path, ...rule.head.args]) visitTerms(term, check);
  if (rule.head.key !== undefined) visitTerms(rule.head.key, check);
  if (rule.head.value !== undefined) visitTerms(rule.head.value, check);
  const operators = new Set<Term>();
  visitBodyTerms(rule.body, (term) => (operators.has(term) ? false : check(term)));
  return issues;
}
