import type { Body, Expr, Module, Rule } from "../languages/rego/ast.ts";
import { compileParsed, type Evaluation } from "../languages/rego/program.ts";

/** A rule, and how far its body holds. */
export interface RuleExplanation {
  /** `data.main.deny` */
  readonly rule: string;
  readonly file: string;
  readonly line: number;
  /** Undefined: the whole body holds. */
  readonly failed: { readonly line: number; readonly expression: string } | undefined;
  /** Why it cannot be told where the body ends to hold. */
  readonly problem?: string | undefined;
}

const probe = "castellan_probe";

/** The rule without value and with the beginning of its body. */
function probing(rule: Rule, body: Body): Rule {
  const [name] = rule.head.ref;
  const { at } = rule.head;
  return {
    ...rule,
    isDefault: false,
    otherwise: undefined,
    body,
    head: {
      ...rule.head,
      ref: [{ ...name, name: probe }],
      key: undefined,
      value: { kind: "scalar", value: true, at },
      assign: false,
      generatedValue: true,
      usesContains: false,
      usesIf: true,
    },
  };
}

/** Whether the beginning of a body holds; undefined: it needs what comes later. */
function holds(body: Body, rule: Rule, module: Module, modules: readonly Module[], given: Evaluation): boolean | undefined {
  const changed: Module = { ...module, rules: [...module.rules, probing(rule, body)] };
  const compiled = compileParsed(modules.map((one) => (one === module ? changed : one)));
  if (!compiled.ok) return undefined;
  const evaluated = compiled.value.rule([...module.package.path, probe]).evaluate(given);
  return evaluated.ok && evaluated.value !== undefined;
}

const sourceOf = (expr: Expr, { source }: Module): string => source.slice(expr.at.offset, expr.at.end).trim();

function explainRule(rule: Rule, module: Module, modules: readonly Module[], given: Evaluation): RuleExplanation {
  const name = ["data", ...module.package.path, rule.head.ref[0].name].join(".");
  const about = { rule: name, file: module.file, line: rule.at.line };
  if (holds(rule.body, rule, module, modules, given) === true) return { ...about, failed: undefined };
  for (const [i, expr] of rule.body.entries()) {
    if (holds(rule.body.slice(0, i + 1), rule, module, modules, given) === false) {
      return { ...about, failed: { line: expr.at.line, expression: sourceOf(expr, module) } };
    }
  }
  return { ...about, failed: undefined, problem: "its expressions hold one by one, but not together" };
}

/**
 * Which expression of each rule's body is the first that does not hold. Rules are those that the path names: one rule,
 * or all of a package; functions have no body without their arguments.
 */
export function explainRules(path: readonly string[], modules: readonly Module[], given: Evaluation): readonly RuleExplanation[] {
  const key = path.join("\u0000");
  return modules.flatMap((module) => {
    const ofPackage = module.package.path.join("\u0000") === key;
    const wanted = module.rules.filter(({ head, isDefault }) => {
      if (head.args.length > 0 || isDefault) return false;
      return ofPackage || [...module.package.path, head.ref[0].name].join("\u0000") === key;
    });
    return wanted.map((rule) => explainRule(rule, module, modules, given));
  });
}
