import type { Body, Expr, ListComprehension, ObjectComprehension, RefTerm, Rule, Term } from "../ast.ts";
import { builtins } from "../builtins/index.ts";
import type { Compilation } from "../compile/compilation.ts";
import type { Dependencies } from "../compile/dependencies.ts";
import { printTerm } from "../compile/print-term.ts";
import { dataPath, groundPrefix, type PlacedRule, type RuleNode, rulesReached } from "../compile/rule-tree.ts";
import { isEquality } from "../compile/safety.ts";
import { branches } from "../compile/transform.ts";
import { functionName } from "../syntax/builtin-calls.ts";
import { visitBodyTerms, visitExprTerms, visitTerms } from "../syntax/visit.ts";
import type { Value } from "../values/value.ts";
import { argumentLines } from "./argument-lines.ts";
import { ReferenceChecker } from "./check-references.ts";
import { isUnknown, keysOf, orTypes, valuesOf } from "./operations.ts";
import { printType } from "./print-type.ts";
import { anyType, type FunctionType, type Type, unknownType } from "./type.ts";
import { TypeEnv } from "./type-env.ts";
import { unifies, unifyTerm, unifyTerms } from "./unify.ts";

/** Something wrong with the types of an expression. `vague`: only because a part's type is unknown. */
interface Finding {
  readonly term: Term | Expr;
  readonly message: string;
  readonly vague: boolean;
}

/** Refuses expressions that can never hold because of the types of what they are about. */
export function checkTypes(tree: RuleNode, dependencies: Dependencies, compilation: Compilation): void {
  const checker = new TypeChecker(tree, compilation);
  for (const placed of sortedRules(tree, dependencies)) checker.rule(placed);
}

interface PlacedBranch {
  readonly placed: PlacedRule;
  readonly rule: Rule;
}

/** All rules and else branches, those that others need before them. */
function sortedRules(tree: RuleNode, dependencies: Dependencies): readonly PlacedBranch[] {
  const all = new Map<Rule, PlacedRule>();
  const collect = (node: RuleNode): void => {
    for (const placed of node.rules) for (const branch of branches(placed.rule)) all.set(branch, placed);
    for (const child of node.children()) collect(child);
  };
  collect(tree);
  const sorted: PlacedBranch[] = [];
  const seen = new Set<Rule>();
  const visit = (rule: Rule, placed: PlacedRule): void => {
    if (seen.has(rule)) return;
    seen.add(rule);
    for (const needed of dependencies.of(rule)) {
      const own = all.get(needed);
      if (own !== undefined) visit(needed, own);
    }
    sorted.push({ placed, rule });
  };
  for (const [rule, placed] of all) visit(rule, placed);
  return sorted;
}

class TypeChecker {
  readonly #tree: RuleNode;
  readonly #compilation: Compilation;
  readonly #documents: TypeEnv;
  /** Comprehensions are checked once, however often they are asked for. */
  readonly #collections = new Map<Term, { readonly type: Type; readonly findings: readonly Finding[] }>();

  constructor(tree: RuleNode, compilation: Compilation) {
    this.#tree = tree;
    this.#compilation = compilation;
    this.#documents = new TypeEnv((term, env) => (isComprehension(term) ? this.#collection(term, env).type : unknownType));
  }

  readonly #nameOf = (name: string): string => this.#compilation.originals.get(name) ?? name;

  rule({ placed, rule }: PlacedBranch): void {
    const env = this.#documents.wrapped();
    const findings = this.#body(env, rule.body);
    const prefix: readonly Value[] = ["data", ...groundPrefix(placed.path)];
    if (findings.length > 0) {
      for (const { term, message } of findings) {
        this.#compilation.refuse(placed.unit.file, term.at, message, "rego_type_error");
      }
      // What uses the rule is not to blame.
      this.#documents.tree.put(prefix, anyType);
      return;
    }
    const type = rule.head.args.length > 0 ? this.#functionType(rule, env) : this.#ruleType(placed, rule, env);
    if (type !== undefined) this.#documents.tree.insert(prefix, type);
  }

  #functionType(rule: Rule, env: TypeEnv): Type {
    for (const arg of rule.head.args) {
      visitTerms(arg, (term) => {
        if (term.kind === "var" && env.typeOfVariable(term.name).kind === "unknown") env.setVariable(term.name, anyType);
        return true;
      });
    }
    const args = rule.head.args.map((arg) => ({ type: env.typeOf(arg) }));
    return { kind: "function", args, result: rule.head.value === undefined ? anyType : env.typeOf(rule.head.value) };
  }

  #ruleType(placed: PlacedRule, rule: Rule, env: TypeEnv): Type | undefined {
    const { key, value } = rule.head;
    const own = value === undefined ? key : value;
    if (own === undefined) return undefined;
    const type = env.typeOf(own);
    if (value !== undefined && type.kind === "unknown") return undefined;
    const leaf: Type = value === undefined ? { kind: "set", of: type } : type;
    const steps = placed.path.slice(groundPrefix(placed.path).length);
    return steps.reduceRight<Type | undefined>((inner, step) => {
      const keyType = env.typeOf(step);
      if (inner === undefined || keyType.kind === "unknown") return undefined;
      return { kind: "object", fixed: [], rest: { key: keyType, value: inner } };
    }, leaf);
  }

  /** The type of a comprehension, and what is wrong in its body. */
  #collection(term: Comprehension, env: TypeEnv): { readonly type: Type; readonly findings: readonly Finding[] } {
    const known = this.#collections.get(term);
    if (known !== undefined) return known;
    const inner = env.wrapped();
    const findings = this.#body(inner, term.body);
    const collection = { type: findings.length > 0 ? unknownType : typeOfCollection(term, inner), findings };
    this.#collections.set(term, collection);
    return collection;
  }

  #body(env: TypeEnv, body: Body): readonly Finding[] {
    return body.flatMap((expr) => this.#expr(env, expr));
  }

  #expr(env: TypeEnv, expr: Expr): readonly Finding[] {
    const own = expr.with.length === 0 ? env : this.#withEnv(env, expr);
    const inClosures = this.#closures(own, expr);
    const references = new ReferenceChecker(own, this.#nameOf).check(expr);
    const found: Finding[] = [...inClosures, ...references.map((finding) => ({ ...finding, vague: false }))];
    const finding = this.#call(own, expr);
    if (finding !== undefined && !(found.length > 0 && finding.vague)) found.push(finding);
    return found;
  }

  #closures(env: TypeEnv, expr: Expr): readonly Finding[] {
    const found: Finding[] = [];
    const visit = (term: Term): boolean => {
      if (!isComprehension(term)) return true;
      found.push(...this.#collection(term, env).findings);
      return false;
    };
    // Bodies of every, not, and, or are only looked into for references and comprehensions, as OPA does.
    visitExprTerms({ ...expr, with: [] }, visit);
    return found;
  }

  /** What `with` replaces may be of another type, and so may all rules that depend on it. */
  #withEnv(env: TypeEnv, expr: Expr): TypeEnv {
    let own = env;
    for (const { target, value } of expr.with) {
      const path = dataPath(target);
      const isInput = target.kind === "ref" && target.head.kind === "var" && target.head.name === "input";
      if (target.kind !== "ref" || (path === undefined && !isInput && !builtins.has(functionName(target) ?? ""))) continue;
      const dependents = this.#dependents(target);
      const type = env.typeOf(target);
      own = own.overlaid();
      for (const dependent of dependents) own.tree.put(dependent, anyType);
      if (type.kind === "function" || (path === undefined && !isInput)) continue;
      own = own.overlaid();
      const isGround = target.path.every((step) => step.kind === "scalar");
      const replaced = isGround && type.kind !== "unknown" ? orTypes(type, env.typeOf(value)) : anyType;
      const name = isInput ? "input" : "data";
      own.tree.put([name, ...groundPrefix(target.path)], replaced);
    }
    return own;
  }

  /** The paths of rules that may come to something else where `target` is replaced. */
  #dependents(target: RefTerm): readonly (readonly Value[])[] {
    const path = dataPath(target);
    const changed = new Set<Rule>(path === undefined ? [] : rulesReached(this.#tree, path));
    const name = functionName(target);
    const all: { readonly rule: Rule; readonly prefix: readonly Value[] }[] = [];
    const collect = (node: RuleNode): void => {
      for (const placed of node.rules) {
        const prefix: readonly Value[] = ["data", ...groundPrefix(placed.path)];
        for (const rule of branches(placed.rule)) all.push({ rule, prefix });
      }
      for (const child of node.children()) collect(child);
    };
    collect(this.#tree);
    const found = new Map<Rule, readonly Value[]>();
    for (let before = -1; found.size > before; ) {
      before = found.size;
      for (const { rule, prefix } of all) {
        if (found.has(rule) || changed.has(rule) || !dependsOn(rule, target, name, changed, this.#tree)) continue;
        found.set(rule, prefix);
      }
      for (const rule of found.keys()) changed.add(rule);
    }
    return [...found.values()].filter((prefix) => this.#isValue(prefix));
  }

  /** Functions stay functions. */
  #isValue(prefix: readonly Value[]): boolean {
    let node = this.#documents.tree.child("data");
    for (const key of prefix.slice(1)) node = node?.child(key);
    return node?.type?.kind !== "function";
  }

  #call(env: TypeEnv, expr: Expr): Finding | undefined {
    if (expr.kind !== "call-expr") return undefined;
    const [left, right] = expr.args;
    if (isEquality(expr) && left !== undefined && right !== undefined) return matchFinding(env, expr, left, right);
    const name = functionName(expr.operator) ?? "";
    const declared = builtins.get(name)?.type ?? (expr.operator.kind === "ref" ? env.typeOf(expr.operator) : unknownType);
    if (name === "internal.member_2" || name === "internal.member_3") {
      const finding = memberFinding(env, expr, name.endsWith("3"));
      if (finding !== undefined) return finding;
    }
    if (declared.kind !== "function") return undefined;
    return this.#arguments(env, expr, declared);
  }

  #arguments(env: TypeEnv, expr: Expr & { kind: "call-expr" }, type: FunctionType): Finding | undefined {
    const expected = [...type.args.map((arg) => arg.type), ...(type.result === undefined ? [] : [type.result])];
    const before = expr.args.map((arg) => env.typeOf(arg));
    const refuse = (have: readonly Type[]): Finding => ({
      term: expr,
      message: `${printTerm(expr.operator, this.#nameOf)}: invalid argument(s)${argumentLines(expr.operator, have, type, true)}`,
      vague: have.some(isUnknown),
    });
    for (const [i, arg] of expr.args.entries()) {
      const want = expected[i] ?? type.variadic ?? anyType;
      const have = before[i] ?? unknownType;
      if (!isUnknown(have) && !unifies(have, want)) return refuse(before);
      if (!unifyTerm(env, arg, want)) return refuse(expr.args.map((own) => env.typeOf(own)));
    }
    return undefined;
  }
}

type Comprehension = ListComprehension | ObjectComprehension;

function isComprehension(term: Term): term is Comprehension {
  return term.kind.endsWith("comprehension");
}

function typeOfCollection(term: Comprehension, env: TypeEnv): Type {
  if (term.kind === "object-comprehension") {
    return { kind: "object", fixed: [], rest: { key: env.typeOf(term.key), value: env.typeOf(term.value) } };
  }
  const of = env.typeOf(term.term);
  return term.kind === "array-comprehension" ? { kind: "array", fixed: [], rest: of } : { kind: "set", of };
}

function matchFinding(env: TypeEnv, expr: Expr, left: Term, right: Term): Finding | undefined {
  const typeA = env.typeOf(left);
  const typeB = env.typeOf(right);
  if (unifyTerms(env, left, right)) return undefined;
  return matchError(expr, typeA, typeB);
}

function matchError(expr: Expr, left: Type, right: Type): Finding {
  const kinds: { readonly [kind: string]: string } = { object: "objects", array: "arrays", set: "sets" };
  const kind = left.kind === right.kind ? kinds[left.kind] : undefined;
  const hint = kind === undefined ? "" : `\n\thint  : both sides are ${kind} but their types differ, so they can never be equal`;
  return {
    term: expr,
    message: `match error\n\tleft  : ${printType(left)}\n\tright : ${printType(right)}${hint}`,
    vague: isUnknown(left) || isUnknown(right),
  };
}

/** `x in xs`: the elements of a collection that is known can be what is looked for. */
function memberFinding(env: TypeEnv, expr: Expr & { kind: "call-expr" }, keyed: boolean): Finding | undefined {
  const collection = expr.args[keyed ? 2 : 1];
  const value = expr.args[keyed ? 1 : 0];
  const key = keyed ? expr.args[0] : undefined;
  if (collection === undefined || value === undefined) return undefined;
  const type = env.typeOf(collection);
  const values = valuesOf(type);
  if (values.kind === "unknown") return undefined;
  const check = (term: Term, want: Type): Finding | undefined => {
    if (isUnknown(want)) return undefined;
    const have = env.typeOf(term);
    if (!((!isUnknown(have) && !unifies(have, want)) || !unifyTerm(env, term, want))) return undefined;
    return matchError(expr, have, want);
  };
  const keys = keysOf(type);
  const wrongKey = key === undefined || keys === undefined ? undefined : check(key, keys);
  return wrongKey ?? check(value, values);
}

function dependsOn(rule: Rule, target: RefTerm, name: string | undefined, changed: ReadonlySet<Rule>, tree: RuleNode): boolean {
  let found = false;
  const root = target.head.kind === "var" ? target.head.name : "";
  const visit = (term: Term): boolean => {
    const path = dataPath(term);
    if (path !== undefined) for (const reached of rulesReached(tree, path)) if (changed.has(reached)) found = true;
    if (term.kind === "ref" && term.head.kind === "var" && term.head.name === root && (root === "input" || root === "data")) {
      const steps = Math.min(term.path.length, target.path.length);
      const meets = term.path.slice(0, steps).every((step, i) => {
        const other = target.path[i];
        return step.kind !== "scalar" || other?.kind !== "scalar" || step.value === other.value;
      });
      if (meets) found = true;
    }
    if (term.kind === "var" && term.name === name) found = true;
    if (term.kind === "ref" && name !== undefined && functionName(term) === name) found = true;
    return !found;
  };
  visitBodyTerms(rule.body, visit);
  for (const term of [rule.head.key, rule.head.value]) if (term !== undefined) visitTerms(term, visit);
  return found;
}
