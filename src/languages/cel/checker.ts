import { type CallExpr, type Expr, type FoldExpr, operators, type ParsedExpression, type SelectExpr } from "./ast.ts";
import type { FunctionDeclaration, Overload, StructDeclaration } from "./declarations.ts";
import type { Env } from "./env.ts";
import type { CelIssue, Checked } from "./issue.ts";
import { crossTypeComparisons } from "./libraries/standard-comparisons.ts";
import {
  boolType,
  type CelType,
  dynType,
  errorType,
  formatSignature,
  formatType,
  intType,
  isDyn,
  isOptionalType,
  listOf,
  mapOf,
  optionalOf,
  sameType,
  typeOfType,
} from "./types.ts";
import { instantiate, moreGeneral, Substitutions } from "./unification.ts";
import { validate } from "./validators.ts";
import type { CelValue } from "./values/value.ts";

/** A variable of a macro. */
export interface LocalVariable {
  readonly name: string;
  readonly type: CelType;
}

/** What a name in the expression means. */
export type Reference =
  | { readonly kind: "local"; readonly variable: LocalVariable }
  | { readonly kind: "variable"; readonly name: string }
  | { readonly kind: "constant"; readonly value: CelValue }
  | { readonly kind: "struct"; readonly declaration: StructDeclaration }
  /** `receiver`: the call's target is an argument, not part of the function's name. */
  | {
      readonly kind: "function";
      readonly declaration: FunctionDeclaration;
      readonly overloads: readonly Overload[];
      readonly receiver: boolean;
    }
  /** Only in expressions that were not checked. */
  | { readonly kind: "undeclared"; readonly message: string };

/** The variables a fold declares; `second` in two-variable macros. */
export interface FoldVariables {
  readonly accu: LocalVariable;
  readonly first: LocalVariable;
  readonly second: LocalVariable | undefined;
}

/** An expression whose names are resolved. */
export interface TypedExpression extends ParsedExpression {
  /** By expression id. */
  readonly types: readonly (CelType | undefined)[];
  readonly references: readonly (Reference | undefined)[];
  readonly folds: readonly (FoldVariables | undefined)[];
  readonly resultType: CelType;
}

/** Resolves names and infers types; at most 100 issues are reported. */
export function check(parsed: ParsedExpression, env: Env): Checked<TypedExpression> {
  const checker = new Checker(parsed, env, false);
  const typed = checker.run();
  const issues = checker.issues.length > 0 ? checker.issues : validate(typed, env);
  return issues.length > 0 ? { ok: false, issues: issues.slice(0, 100) } : { ok: true, value: typed };
}

/** Resolves names only: every type is `dyn`, and what is undeclared fails when it is evaluated. */
export function resolveUnchecked(parsed: ParsedExpression, env: Env): TypedExpression {
  return new Checker(parsed, env, true).run();
}

interface Scope {
  readonly parent: Scope | undefined;
  readonly variables: readonly LocalVariable[];
}

function unwrapOptional(type: CelType): readonly [CelType, boolean] {
  return isOptionalType(type) ? [type.params[0] ?? dynType, true] : [type, false];
}

class Checker {
  readonly issues: CelIssue[] = [];
  readonly #parsed: ParsedExpression;
  readonly #env: Env;
  readonly #lenient: boolean;
  readonly #substitutions = new Substitutions();
  readonly #types: (CelType | undefined)[] = [];
  readonly #references: (Reference | undefined)[] = [];
  readonly #folds: (FoldVariables | undefined)[] = [];
  #scope: Scope | undefined;

  constructor(parsed: ParsedExpression, env: Env, lenient: boolean) {
    this.#parsed = parsed;
    this.#env = env;
    this.#lenient = lenient;
  }

  run(): TypedExpression {
    const { source, root, offsets } = this.#parsed;
    this.#check(root);
    for (const [id, type] of this.#types.entries()) {
      if (type?.open) this.#types[id] = this.#substitutions.apply(type, true, dynType);
    }
    const resultType = this.#types[root.id] ?? dynType;
    return { source, root, offsets, types: this.#types, references: this.#references, folds: this.#folds, resultType };
  }

  #report(id: number, message: string): void {
    if (this.#lenient) return;
    this.issues.push({ code: "CEL_TYPE", message, offset: this.#parsed.offsets[id] ?? -1, length: 1 });
  }

  #set(expr: Expr, type: CelType): CelType {
    const known = this.#lenient ? dynType : type;
    this.#types[expr.id] = known;
    return known;
  }

  #apply(type: CelType): CelType {
    return this.#substitutions.apply(type, false, dynType);
  }

  #undeclared(expr: Expr, name: string): CelType {
    const message = `undeclared reference to '${name}' (in container '${this.#env.options.container}')`;
    this.#report(expr.id, message);
    this.#references[expr.id] = { kind: "undeclared", message };
    return this.#set(expr, errorType);
  }

  #check(expr: Expr): CelType {
    switch (expr.kind) {
      case "literal":
        return this.#set(expr, expr.type);
      case "ident":
        return this.#ident(expr, expr.name) ?? this.#undeclared(expr, expr.name);
      case "select":
        return this.#select(expr);
      case "call":
        return this.#call(expr);
      case "list":
        return this.#list(expr);
      case "map":
        return this.#map(expr);
      case "struct":
        return this.#struct(expr);
      case "fold":
        return this.#fold(expr);
    }
  }

  #local(written: string): LocalVariable | undefined {
    const name = this.#env.options.dottedLocals ? written.replace(/^\./, "") : written;
    for (let scope = this.#scope; scope !== undefined; scope = scope.parent) {
      const found = scope.variables.find((variable) => variable.name === name);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #ident(expr: Expr, name: string): CelType | undefined {
    const variable = this.#local(name);
    if (variable === undefined) return this.#global(expr, name);
    this.#references[expr.id] = { kind: "local", variable };
    return this.#set(expr, variable.type);
  }

  #global(expr: Expr, name: string): CelType | undefined {
    for (const candidate of this.#env.candidates(name)) {
      const declared = this.#env.variable(candidate);
      if (declared !== undefined) {
        this.#references[expr.id] =
          declared.value === undefined ? { kind: "variable", name: candidate } : { kind: "constant", value: declared.value };
        return this.#set(expr, declared.type);
      }
      const struct = this.#env.struct(candidate);
      if (struct !== undefined) {
        this.#references[expr.id] = { kind: "struct", declaration: struct };
        return this.#set(expr, typeOfType(struct.type));
      }
    }
    return undefined;
  }

  #select(expr: SelectExpr): CelType {
    const qualified = expr.test ? undefined : qualifiedName(expr);
    if (qualified !== undefined && this.#local(qualified.slice(0, qualified.indexOf("."))) === undefined) {
      const type = this.#global(expr, qualified);
      if (type !== undefined) return type;
    }
    const type = this.#fieldType(expr, expr.operand, expr.field, false);
    return this.#set(expr, expr.test ? boolType : this.#apply(type));
  }

  #fieldType(expr: Expr, operand: Expr, field: string, optional: boolean): CelType {
    const operandType = this.#apply(this.#check(operand));
    const [target, isOptional] = unwrapOptional(operandType);
    let result: CelType = dynType;
    if (target.kind === "map") result = target.params[1] ?? dynType;
    else if (target.kind === "struct") result = this.#structField(expr.id, target.name, field);
    else if (target.kind === "param") this.#substitutions.assignable(dynType, target);
    else if (!isDyn(target) && target.kind !== "error") {
      this.#report(expr.id, `type '${formatType(target)}' does not support field selection`);
    }
    return isOptional || optional ? optionalOf(result) : result;
  }

  #structField(id: number, typeName: string, field: string): CelType {
    const struct = this.#env.struct(typeName);
    if (struct === undefined) {
      this.#report(id, `unexpected failed resolution of '${typeName}'`);
      return errorType;
    }
    const type = struct.field(field);
    if (type === undefined) this.#report(id, `undefined field '${field}'`);
    return type ?? errorType;
  }

  #call(expr: CallExpr): CelType {
    if (expr.function === operators.optionalSelect) return this.#optionalSelect(expr);
    const args = expr.args.map((arg) => this.#check(arg));
    const { target } = expr;
    if (target === undefined) return this.#resolve(expr, this.#function(expr.function), args, false);
    const prefix = qualifiedName(target);
    const namespaced = prefix === undefined ? undefined : this.#function(`${prefix}.${expr.function}`);
    if (namespaced !== undefined) return this.#resolve(expr, namespaced, args, false);
    const targetType = this.#check(target);
    return this.#resolve(expr, this.#function(expr.function), [targetType, ...args], true);
  }

  #function(name: string): FunctionDeclaration | undefined {
    for (const candidate of this.#env.candidates(name)) {
      const declaration = this.#env.function(candidate);
      if (declaration !== undefined) return declaration;
    }
    return undefined;
  }

  #optionalSelect(expr: CallExpr): CelType {
    const [operand, field] = expr.args;
    const declaration = this.#env.function(operators.optionalSelect);
    if (operand === undefined || field?.kind !== "literal" || typeof field.value !== "string" || declaration === undefined) {
      return this.#undeclared(expr, expr.function);
    }
    const type = this.#fieldType(expr, operand, field.value, true);
    this.#check(field);
    this.#references[expr.id] = { kind: "function", declaration, overloads: declaration.overloads, receiver: false };
    return this.#set(expr, this.#apply(type));
  }

  #resolve(expr: CallExpr, declaration: FunctionDeclaration | undefined, args: readonly CelType[], receiver: boolean): CelType {
    if (declaration === undefined) return this.#undeclared(expr, expr.function);
    if (declaration.name === operators.and || declaration.name === operators.or) return this.#logical(expr, declaration, args);
    const candidates: Overload[] = [];
    let result: CelType | undefined;
    for (const overload of declaration.overloads) {
      if (overload.member !== receiver || overload.args.length !== args.length || this.#isDisabled(overload)) continue;
      const [fnResult = dynType, ...params] = instantiate([overload.result, ...overload.args], this.#substitutions);
      if (!this.#substitutions.assignableAll(args, params)) continue;
      candidates.push(overload);
      const applied = this.#apply(fnResult);
      if (result === undefined) result = applied;
      else if (!isDyn(result) && !sameType(applied, result)) result = dynType;
    }
    if (result === undefined) {
      const known = args.map((type) => this.#substitutions.apply(type, true, dynType));
      const message = `found no matching overload for '${declaration.name}' applied to '${formatSignature(known, receiver)}'`;
      this.#report(expr.id, message);
      this.#references[expr.id] = { kind: "undeclared", message: `no such overload: ${declaration.name}` };
      return this.#set(expr, errorType);
    }
    this.#references[expr.id] = { kind: "function", declaration, overloads: candidates, receiver };
    return this.#set(expr, result);
  }

  /** Each operand is reported by itself. */
  #logical(expr: CallExpr, declaration: FunctionDeclaration, args: readonly CelType[]): CelType {
    let result: CelType = boolType;
    for (const [i, arg] of expr.args.entries()) {
      const actual = args[i] ?? errorType;
      if (this.#substitutions.assignable(actual, boolType)) continue;
      this.#mismatch(arg, boolType, actual);
      result = errorType;
    }
    this.#references[expr.id] = { kind: "function", declaration, overloads: declaration.overloads, receiver: false };
    return this.#set(expr, result);
  }

  #isDisabled(overload: Overload): boolean {
    return !this.#env.options.crossTypeComparisons && crossTypeComparisons.has(overload.id);
  }

  /** The type of an element or value; of what is inside for one written with `?`. */
  #elementType(expr: Expr, optional: boolean): CelType {
    const type = this.#check(expr);
    if (!optional) return type;
    const [inner, isOptional] = unwrapOptional(type);
    if (!isOptional && !isDyn(inner)) this.#mismatch(expr, optionalOf(inner), inner);
    return inner;
  }

  #mismatch(expr: Expr, expected: CelType, actual: CelType): void {
    this.#report(expr.id, `expected type '${formatType(expected)}' but found '${formatType(actual)}'`);
  }

  #join(previous: CelType | undefined, current: CelType): CelType {
    if (previous === undefined) return current;
    if (this.#substitutions.assignable(previous, current)) {
      const keepsPrevious = this.#env.options.specification && current.kind === "null";
      return keepsPrevious || moreGeneral(previous, current) ? previous : current;
    }
    return dynType;
  }

  #list(expr: Extract<Expr, { kind: "list" }>): CelType {
    let element: CelType | undefined;
    for (const [i, item] of expr.elements.entries()) {
      element = this.#join(element, this.#elementType(item, expr.optional.has(i)));
    }
    return this.#set(expr, listOf(element ?? this.#substitutions.fresh()));
  }

  #map(expr: Extract<Expr, { kind: "map" }>): CelType {
    let key: CelType | undefined;
    let value: CelType | undefined;
    for (const entry of expr.entries) {
      key = this.#join(key, this.#check(entry.key));
      value = this.#join(value, this.#elementType(entry.value, entry.optional));
    }
    return this.#set(expr, mapOf(key ?? this.#substitutions.fresh(), value ?? this.#substitutions.fresh()));
  }

  #struct(expr: Extract<Expr, { kind: "struct" }>): CelType {
    const named = this.#ident(expr, expr.typeName);
    if (named === undefined) return this.#undeclared(expr, expr.typeName);
    const reference = this.#references[expr.id];
    const type = reference?.kind === "struct" ? reference.declaration.type : this.#noStruct(expr, named);
    for (const field of expr.fields) {
      const given = this.#elementType(field.value, field.optional);
      const wanted = this.#structField(field.id, type.kind === "struct" ? type.name : expr.typeName, field.name);
      if (this.#substitutions.assignable(wanted, given)) continue;
      const types = `'${formatType(wanted)}' but provided type is '${formatType(given)}'`;
      this.#report(field.id, `expected type of field '${field.name}' is ${types}`);
    }
    return this.#set(expr, type);
  }

  /** For `name{...}` where the name is a variable or another type: in the words of cel-go. */
  #noStruct(expr: Expr, { kind, name, params }: CelType): CelType {
    const message = kind === "type" ? `'${params[0]?.name ?? name}' is not a message type` : `'${name}' is not a type`;
    this.#report(expr.id, message);
    this.#references[expr.id] = { kind: "undeclared", message };
    return errorType;
  }

  #fold(expr: FoldExpr): CelType {
    const range = this.#apply(this.#check(expr.range));
    const initType = this.#check(expr.init);
    const [firstType, secondType] = this.#iterationTypes(expr, range);
    const accu = { name: expr.accuVar, type: initType };
    const first = { name: expr.iterVar, type: firstType };
    const second = expr.iterVar2 === "" ? undefined : { name: expr.iterVar2, type: secondType };
    this.#folds[expr.id] = { accu, first, second };
    const outer = this.#scope;
    const accuScope: Scope = { parent: outer, variables: [accu] };
    this.#scope = { parent: accuScope, variables: second === undefined ? [first] : [first, second] };
    this.#assert(expr.condition, boolType);
    this.#assert(expr.step, initType);
    this.#scope = accuScope;
    const result = this.#check(expr.result);
    this.#scope = outer;
    return this.#set(expr, this.#apply(result));
  }

  #assert(expr: Expr, type: CelType): void {
    const actual = this.#check(expr);
    if (!this.#substitutions.assignable(type, actual)) this.#mismatch(expr, type, actual);
  }

  #iterationTypes(expr: FoldExpr, range: CelType): readonly [CelType, CelType] {
    const [first = dynType, second = dynType] = range.params;
    switch (range.kind) {
      case "list":
        return expr.iterVar2 === "" ? [first, dynType] : [intType, first];
      case "map":
        return [first, second];
      case "param":
        this.#substitutions.assignable(dynType, range);
        return [dynType, dynType];
      case "dyn":
      case "error":
        return [dynType, dynType];
      default:
        this.#report(
          expr.range.id,
          `expression of type '${formatType(range)}' cannot be range of a comprehension (must be list, map, or dynamic)`,
        );
        return [errorType, errorType];
    }
  }
}

/** `a.b.c` for a chain of plain selections on a name. */
function qualifiedName(expr: Expr): string | undefined {
  if (expr.kind === "ident") return expr.name;
  if (expr.kind !== "select" || expr.test) return undefined;
  const prefix = qualifiedName(expr.operand);
  return prefix === undefined ? undefined : `${prefix}.${expr.field}`;
}
