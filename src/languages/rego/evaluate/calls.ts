import type { RefTerm, VarTerm } from "../ast.ts";
import { type Builtin, type BuiltinContext, BuiltinError } from "../builtins/builtin.ts";
import { builtins } from "../builtins/index.ts";
import { functionName } from "../syntax/builtin-calls.ts";
import { compareValues, equalValues } from "../values/compare.ts";
import type { Value } from "../values/value.ts";
import type { DataNode } from "./data-tree.ts";
import { EvaluationFailure, type Get, type Machine, type Site, type Slots } from "./machine.ts";
import { valuesOf } from "./terms.ts";

/** A function of a policy or of the language. */
export type Call = (m: Machine, args: readonly Value[]) => Value | undefined;

export interface CompiledFunction {
  readonly arity: number;
  readonly isVoid: boolean;
  call: Call;
  /** Several results for one call. */
  readonly relation?: (m: Machine, args: readonly Value[]) => Iterable<Value>;
}

/** The function of that name. */
export function functionOf(operator: VarTerm | RefTerm, root: DataNode, site: Site): CompiledFunction {
  const name = functionName(operator) ?? "";
  const builtin = builtins.get(name);
  if (builtin !== undefined) return builtinFunction(builtin, name, site);
  const rules = operator.kind === "ref" ? ruleAt(operator, root) : undefined;
  if (rules === undefined) throw new Error(`undefined function ${name}`);
  const { arity } = rules;
  const direct: Call = arity === undefined ? (m) => rules.value(m) : (m, args) => rules.call(m, args);
  return { arity: arity ?? 0, isVoid: false, call: replaceable(name, direct) };
}

function ruleAt(operator: RefTerm, root: DataNode): DataNode["rules"] {
  let node: DataNode | undefined = root;
  for (const step of operator.path) node = step.kind === "scalar" ? node?.child(step.value) : undefined;
  return node?.rules;
}

function builtinFunction(builtin: Builtin, name: string, site: Site): CompiledFunction {
  const isVoid = builtin.type.result === undefined;
  const arity = builtin.type.args.length;
  const call = replaceable(name, (m, args) => callBuiltin(builtin, m, args, site));
  const { relation } = builtin;
  if (relation === undefined) return { arity, isVoid, call };
  return { arity, isVoid, call, relation: (m, args) => relation.call(builtin, args, m) };
}

/** Where a builtin refuses, the expression is undefined; with strict errors evaluation ends. */
function callBuiltin(builtin: Builtin, m: Machine, args: readonly Value[], site: Site): Value | undefined {
  m.spend(1);
  const context: BuiltinContext = m;
  const result = builtin.call(args, context);
  if (!(result instanceof BuiltinError)) return result;
  if (m.strictBuiltinErrors) throw new EvaluationFailure(result.code, `${builtin.name}: ${result.message}`, site);
  return undefined;
}

/** Calls what `with` put in the place of a function, if anything. */
function replaceable(name: string, direct: Call): Call {
  return (m, args) => {
    const replacement = m.replaced?.get(name);
    if (replacement === undefined) return direct(m, args);
    if (replacement.kind === "value") return replacement.value;
    // In a replacement, functions are what they were.
    const { replaced } = m;
    m.replaced = undefined;
    const result = replacement.call(m, args);
    m.replaced = replaced;
    return result;
  };
}

type Comparison = (order: number) => boolean;

const comparisons: { readonly [name: string]: Comparison } = {
  lt: (order) => order < 0,
  lte: (order) => order <= 0,
  gt: (order) => order > 0,
  gte: (order) => order >= 0,
};

/** Frequent builtins on arguments of the right types; all else is for the builtins themselves. */
const textTests: { readonly [name: string]: (text: string, part: string) => boolean } = {
  startswith: (text, part) => text.startsWith(part),
  endswith: (text, part) => text.endsWith(part),
  contains: (text, part) => text.includes(part),
};

function textTest(left: Get, right: Get, fn: CompiledFunction, test: (text: string, part: string) => boolean): Get {
  return (m, s) => {
    const a = left(m, s);
    const b = right(m, s);
    if (a === undefined || b === undefined) return undefined;
    if (typeof a === "string" && typeof b === "string" && m.replaced === undefined) return test(a, b);
    return fn.call(m, [a, b]);
  };
}

type Arithmetic = (a: number, b: number) => number;

const arithmetic: { readonly [name: string]: Arithmetic } = {
  plus: (a, b) => a + b,
  minus: (a, b) => a - b,
  mul: (a, b) => a * b,
};

/** The result of a call whose arguments are bound; operators on plain numbers need no detour. */
export function compileCall(operator: VarTerm | RefTerm, fn: CompiledFunction, args: readonly Get[]): Get {
  const [left, right] = args;
  const slow = generalCall(fn, args);
  if (operator.kind !== "var" || left === undefined || right === undefined) return slow;
  const { name } = operator;
  const compare = comparisons[name];
  if (compare !== undefined) return binary(left, right, fn, (a, b) => compare(compareValues(a, b)));
  if (name === "equal") return binary(left, right, fn, equalValues);
  if (name === "neq") return binary(left, right, fn, (a, b) => !equalValues(a, b));
  const test = textTests[name];
  if (test !== undefined) return textTest(left, right, fn, test);
  const compute = arithmetic[name];
  if (compute === undefined) return slow;
  return (m, s) => {
    const a = left(m, s);
    const b = right(m, s);
    if (a === undefined || b === undefined) return undefined;
    if (m.replaced === undefined && Number.isSafeInteger(a) && Number.isSafeInteger(b)) {
      const result = compute(Number(a), Number(b));
      if (Number.isSafeInteger(result) && result !== 0) return result;
    }
    return fn.call(m, [a, b]);
  };
}

function binary(left: Get, right: Get, fn: CompiledFunction, compute: (a: Value, b: Value) => Value): Get {
  return (m, s) => {
    const a = left(m, s);
    const b = right(m, s);
    if (a === undefined || b === undefined) return undefined;
    return m.replaced === undefined ? compute(a, b) : fn.call(m, [a, b]);
  };
}

function generalCall(fn: CompiledFunction, args: readonly Get[]): Get {
  const [only] = args;
  if (args.length === 1 && only !== undefined) {
    return (m, s) => {
      const value = only(m, s);
      return value === undefined ? undefined : fn.call(m, [value]);
    };
  }
  return (m: Machine, s: Slots) => {
    const values = valuesOf(args, m, s);
    return values === undefined ? undefined : fn.call(m, values);
  };
}
