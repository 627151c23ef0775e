import type { Body, Expr, Head, Place, Rule, Term, VarTerm } from "../ast.ts";
import { isBuiltin } from "./builtin-calls.ts";
import type { Statement } from "./module-parser.ts";
import { isGround, trueBody } from "./rule-parser.ts";
import { valueName } from "./term-parser.ts";

/** The rule that an expression outside of any rule stands for (`pi = 3`, `p.q`), or why it stands for none. */
export function ruleOfBody(body: Body): Rule | string {
  const [expr] = body;
  if (expr === undefined || body.length !== 1) return "multiple expressions cannot be used for rule head";
  if (expr.with.length > 0) return "expressions using with keyword cannot be used for rule head";
  if (expr.negated) return "negated expressions cannot be used for rule head";
  if (expr.kind === "some" || expr.kind === "some-in") return "'some' declarations cannot be used for rule head";
  if (expr.kind === "term-expr") return ruleOfTerm(expr.term);
  if (expr.kind !== "call-expr") return "expression cannot be used for rule head";
  const name = expr.operator.kind === "var" ? expr.operator.name : "";
  const [left, right] = expr.args;
  if (name === "eq" || name === "assign") {
    if (left === undefined || right === undefined) return "assignment requires two operands";
    return ruleOfEquality(expr, left, right, name === "assign");
  }
  if (isBuiltin(expr.operator)) return "rule name conflicts with built-in function";
  if (expr.args.length === 0) return "rule argument list must take at least one argument";
  const ref = referenceOf(expr.operator);
  if (ref === undefined) return `invalid rule head: ${valueName(expr.operator)}`;
  const { at } = expr.operator;
  return rule({ ref, args: expr.args, value: trueTerm(at), at });
}

const trueTerm = (at: Place): Term => ({ kind: "scalar", value: true, at });

function referenceOf(term: Term): readonly [VarTerm, ...Term[]] | undefined {
  if (term.kind === "var") return [term];
  return term.kind === "ref" && term.head.kind === "var" ? [term.head, ...term.path] : undefined;
}

function rule(head: Partial<Head> & Pick<Head, "ref" | "at">, at = head.at): Rule {
  const whole: Head = {
    args: [],
    key: undefined,
    value: undefined,
    assign: false,
    generatedValue: false,
    usesIf: false,
    usesContains: false,
    ...head,
  };
  return { isDefault: false, head: whole, body: trueBody(at), generatedBody: true, otherwise: undefined, at };
}

function ruleOfTerm(term: Term): Rule | string {
  if (term.kind !== "ref") return `${valueName(term)} cannot be used for rule name`;
  const { at } = term;
  const ref = referenceOf(term);
  if (ref === undefined) return "invalid rule head";
  const [name, key] = ref;
  if (ref.length > 2) return rule({ ref, value: trueTerm(at), generatedValue: true, at });
  if (key === undefined) return "refs cannot be used for rule head";
  return rule({ ref: [name], key, at });
}

function ruleOfEquality(expr: Expr, left: Term, value: Term, assign: boolean): Rule | string {
  const { at } = expr;
  if (left.kind === "call") {
    const ref = referenceOf(left.operator);
    return ref === undefined ? "invalid rule head" : rule({ ref, args: left.args, value, assign, at });
  }
  const ref = referenceOf(left);
  if (ref === undefined) {
    return left.kind === "ref" ? "invalid rule head" : `${valueName(left)} cannot be used for rule name`;
  }
  const [, second] = ref;
  const key = ref.length === 2 && left.kind === "ref" ? second : undefined;
  if (left.kind === "ref" && ref.length > 2 && !ref.slice(1).every(isGround)) return rule({ ref, value, assign, at });
  return rule({ ref, key, value, assign, at });
}

const headKeywords: { readonly [word: string]: string } = { if: "p if { ... }", contains: "p contains x" };

/** A hint where a body that is no rule was meant to have a keyword that is not imported. */
export function missingKeywordHint(statement: Statement, next: Statement | undefined): string {
  const word = headWord(statement) ?? (next !== undefined && sameLine(statement, next) ? headWord(next) : undefined);
  const example = word === undefined ? undefined : headKeywords[word];
  return example === undefined ? "" : ` (hint: \`import future.keywords.${word}\` for \`${example}\` rules)`;
}

function sameLine(a: Statement, b: Statement): boolean {
  const lineOf = (s: Statement): number | undefined =>
    s.kind === "rule" ? s.rule.at.line : s.kind === "body" ? s.at.line : undefined;
  return lineOf(a) === lineOf(b);
}

function headWord(statement: Statement): string | undefined {
  if (statement.kind === "rule") return statement.rule.head.ref[0].name;
  if (statement.kind !== "body" || statement.body.length !== 1) return undefined;
  const [expr] = statement.body;
  return expr?.kind === "term-expr" && expr.term.kind === "var" ? expr.term.name : undefined;
}
