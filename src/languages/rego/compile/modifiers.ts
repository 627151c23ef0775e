import type { Body, Expr, RefTerm, Term, With } from "../ast.ts";
import { builtins } from "../builtins/index.ts";
import { functionName } from "../syntax/builtin-calls.ts";
import type { Compilation } from "./compilation.ts";
import { generatedEquality, requiresEvaluation } from "./expand.ts";
import { dataPath, nodeAt, type RuleNode } from "./rule-tree.ts";

/** Checks `with` modifiers, and gives values that have to be looked up a variable. */
export class ModifierRewriter {
  readonly #tree: RuleNode;
  readonly #file: string;
  readonly #compilation: Compilation;

  constructor(tree: RuleNode, file: string, compilation: Compilation) {
    this.#tree = tree;
    this.#file = file;
    this.#compilation = compilation;
  }

  readonly body = (body: Body): Body => body.flatMap((expr) => this.#rewrite(expr));

  #rewrite(expr: Expr): readonly Expr[] {
    if (expr.with.length === 0) return [expr];
    const before: Expr[] = [];
    const modifiers = expr.with.map((modifier): With => {
      const checked = this.#check(modifier);
      if (checked === undefined || checked.isFunction || !requiresEvaluation(modifier.value)) {
        return checked?.modifier ?? modifier;
      }
      const local = this.#compilation.fresh(modifier.value.at);
      before.push(generatedEquality(local, modifier.value));
      return { ...checked.modifier, value: local };
    });
    return [...before, { ...expr, with: modifiers }];
  }

  #refuse(term: Term, message: string, isType = false): undefined {
    this.#compilation.refuse(this.#file, term.at, message, isType ? "rego_type_error" : "rego_compile_error");
    return undefined;
  }

  /** The modifier with functions named by references, and whether its value is a function; undefined: refused. */
  #check(modifier: With): { modifier: With; isFunction: boolean } | undefined {
    const { target } = modifier;
    const value = builtinReference(modifier.value);
    const path = dataPath(target);
    if (target.kind === "ref" && path !== undefined) return this.#checkData(modifier, path, value);
    if (target.kind === "ref" && target.head.kind === "var" && target.head.name === "input") {
      return { modifier: { ...modifier, value }, isFunction: false };
    }
    const name = functionName(target);
    const builtin = name === undefined ? undefined : builtins.get(name);
    if (builtin === undefined || name === undefined) {
      return this.#refuse(target, "with keyword target must reference existing input, data, or a function", true);
    }
    const refused = refusedReplacement(name);
    if (refused !== undefined) return this.#refuse(target, `with keyword replacing built-in function: ${refused}`);
    const reference = builtinReference(target);
    const whole = reference.kind === "ref" ? { ...modifier, target: reference, value } : { ...modifier, value };
    return { modifier: whole, isFunction: this.#isFunction(value) };
  }

  #checkData(modifier: With, path: readonly Term[], value: Term): { modifier: With; isFunction: boolean } | undefined {
    const whole = { ...modifier, value };
    let node: RuleNode | undefined = this.#tree;
    for (const step of path.slice(0, -1)) {
      node = step.kind === "scalar" ? node?.child(step.value) : undefined;
      if (node !== undefined && node.rules.length > 0) {
        return this.#refuse(modifier.target, "with keyword cannot partially replace virtual document(s)");
      }
    }
    const last = path.at(-1);
    const target = last?.kind === "scalar" ? node?.child(last.value) : undefined;
    const replacesFunction = target?.rules.some((placed) => placed.rule.head.args.length > 0) ?? false;
    if (replacesFunction && this.#isFunction(value)) return { modifier: whole, isFunction: true };
    const source = value.kind === "ref" ? nodeAt(this.#tree, value) : undefined;
    const isFunction = source?.rules.some((placed) => placed.rule.head.args.length > 0) ?? false;
    return { modifier: whole, isFunction };
  }

  #isFunction(value: Term): boolean {
    if (value.kind === "ref" && dataPath(value) !== undefined && nodeAt(this.#tree, value) !== undefined) return true;
    return value.kind === "ref" && builtins.has(functionName(value) ?? "");
  }
}

/** Names of builtins as references. */
function builtinReference(term: Term): Term {
  if (term.kind !== "var" || !builtins.has(term.name)) return term;
  const reference: RefTerm = { kind: "ref", head: term, path: [], at: term.at };
  return reference;
}

function refusedReplacement(name: string): string | undefined {
  const builtin = builtins.get(name);
  if (["eq", "rego.metadata.chain", "rego.metadata.rule"].includes(name)) return `replacement of "${name}" invalid`;
  if (name.startsWith("internal.")) return `replacement of internal function "${name}" invalid`;
  if (builtin?.relation !== undefined) return "target must not be a relation";
  return builtin?.type.result === undefined ? "target must not be a void function" : undefined;
}
