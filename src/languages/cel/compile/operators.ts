import { type CallExpr, operators } from "../ast.ts";
import { comparison } from "../cost/runtime.ts";
import { elementAt } from "../values/containers.ts";
import { equalValues, isNumeric } from "../values/equality.ts";
import { compareNumbers } from "../values/numbers.ts";
import { refused } from "../values/traits.ts";
import { CelError, type CelValue, Failure, isList, Optional, type Value } from "../values/value.ts";
import { callCost } from "./call-cost.ts";
import type { FunctionReference } from "./calls.ts";
import { type Compiler, constantNode, type Node } from "./compiler.ts";
import { type Eval, type Frame, fail, labelled, mergeFailures } from "./frame.ts";

/** Operators that do not evaluate all their operands, or are worth a shorter way; undefined for all other calls. */
export function compileOperator(
  expr: CallExpr,
  reference: FunctionReference,
  args: readonly Node[],
  compiler: Compiler,
): Node | undefined {
  const { id } = expr;
  const [first, second, third] = args;
  if (first === undefined) return undefined;
  switch (reference.declaration.name) {
    case operators.and:
      return second && { id, eval: logical(first.eval, second.eval, true, id) };
    case operators.or:
      return second && { id, eval: logical(first.eval, second.eval, false, id) };
    case operators.not:
      return { id, eval: not(first.eval, id) };
    case operators.notStrictlyFalse:
      return { id, eval: notStrictlyFalse(first.eval) };
    case operators.conditional:
      return second && third && conditional(first, second, third, id);
    case operators.equals:
      return second && { id, eval: equality(first.eval, second.eval, true, callCost(reference, compiler), id) };
    case operators.notEquals:
      return second && { id, eval: equality(first.eval, second.eval, false, callCost(reference, compiler), id) };
    case operators.add:
    case operators.subtract:
    case operators.less:
    case operators.lessEquals:
    case operators.greater:
    case operators.greaterEquals:
      return second && { id, eval: numeric(reference, first.eval, second.eval, compiler, id) };
    case operators.in:
      return second && membership(reference, first, second, compiler, id);
    case "or":
    case "orValue":
      return second && optionalOr(reference, first.eval, second.eval, compiler, id);
    default:
      return undefined;
  }
}

/** `&&` (neutral: true) and `||` (neutral: false): either operand may decide, whatever the other one does. */
function logical(left: Eval, right: Eval, neutral: boolean, id: number): Eval {
  const decided = !neutral;
  return (frame) => {
    const a = left(frame);
    if (a === decided) return decided;
    const b = right(frame);
    if (b === decided) return decided;
    return a === neutral && b === neutral ? neutral : mergeFailures(a, b, neutral, id);
  };
}

function not(operand: Eval, id: number): Eval {
  return (frame) => {
    const value = operand(frame);
    frame.cost++;
    if (typeof value === "boolean") return !value;
    return value instanceof Failure ? value : labelled(refused(operators.not, "negate", value), id);
  };
}

function notStrictlyFalse(operand: Eval): Eval {
  return (frame) => {
    const value = operand(frame);
    frame.cost++;
    return value !== false;
  };
}

function conditional(condition: Node, whenTrue: Node, whenFalse: Node, id: number): Node {
  const then = whenTrue.resolve ?? whenTrue.eval;
  const otherwise = whenFalse.resolve ?? whenFalse.eval;
  const test = condition.eval;
  const resolve: Eval = (frame) => {
    const value = test(frame);
    if (value === true) return then(frame);
    if (value === false) return otherwise(frame);
    return value instanceof Failure ? value : fail("no such overload", id);
  };
  return { id, resolve, eval: resolve };
}

type Cost = ReturnType<typeof callCost>;

function equality(left: Eval, right: Eval, equal: boolean, cost: Cost, id: number): Eval {
  return (frame) => {
    const a = left(frame);
    const b = right(frame);
    if (typeof a === "string" && typeof b === "string") {
      frame.cost += textCost(a, b);
      return (a === b) === equal;
    }
    const result = compare(a, b, equal, id);
    frame.cost += cost === 1 ? 1 : cost([a, b], result);
    return result;
  };
}

/** Up to ten characters cost 1 whatever they are, so that most strings need not be counted. */
function textCost(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  return shorter <= 10 ? Math.sign(shorter) : comparison(a, b);
}

function compare(a: Value, b: Value, equal: boolean, id: number): Value {
  if (a instanceof Failure) return a;
  if (b instanceof Failure) return b;
  const result = equalValues(a, b);
  // What cannot be compared is unequal for `!=`, and an error for `==`.
  return result instanceof CelError ? (equal ? labelled(result, id) : true) : result === equal;
}

/** Operators with a short way for two ints, or numbers where only their order counts. */
function numeric(reference: FunctionReference, left: Eval, right: Eval, compiler: Compiler, id: number): Eval {
  const { implementation, name } = reference.declaration;
  if (implementation?.arity !== 2) throw new Error(`${name} has two operands`);
  const { call } = implementation;
  const cost = callCost(reference, compiler);
  const slow = (a: Value, b: Value, frame: Frame): Value => {
    const result = a instanceof Failure ? a : b instanceof Failure ? b : labelled(call(a, b, frame.outside), id);
    frame.cost += cost === 1 ? 1 : cost([a, b], result);
    return result;
  };
  const fast = shortWays[name];
  if (fast === undefined) return (frame) => slow(left(frame), right(frame), frame);
  return (frame) => {
    const a = left(frame);
    const b = right(frame);
    if (typeof a === "number" && typeof b === "number") {
      const result = fast(a, b);
      if (result !== undefined) {
        frame.cost++;
        return result;
      }
    }
    return slow(a, b, frame);
  };
}

/** Undefined: the long way has to be taken. */
const shortWays: { readonly [name: string]: (a: number, b: number) => boolean | number | undefined } = {
  [operators.add]: (a, b) => inInts(a, b, a + b),
  [operators.subtract]: (a, b) => inInts(a, b, a - b),
  [operators.less]: (a, b) => (a < b ? true : a >= b ? false : undefined),
  [operators.lessEquals]: (a, b) => (a <= b ? true : a > b ? false : undefined),
  [operators.greater]: (a, b) => (a > b ? true : a <= b ? false : undefined),
  [operators.greaterEquals]: (a, b) => (a >= b ? true : a < b ? false : undefined),
};

function inInts(a: number, b: number, result: number): number | undefined {
  return Number.isSafeInteger(a) && Number.isSafeInteger(b) && Number.isSafeInteger(result) ? result : undefined;
}

/** `x in [constants]` is a set lookup at no cost where constants are folded. */
function membership(reference: FunctionReference, item: Node, list: Node, compiler: Compiler, id: number): Node {
  const value = list.constant?.value;
  const [only, another] = reference.overloads;
  if (
    compiler.env.options.foldConstants &&
    value !== undefined &&
    isList(value) &&
    only?.id === "in_list" &&
    another === undefined
  ) {
    if (value.length === 0) return constantNode(id, false);
    const elements = Array.from({ length: value.length }, (_, i) => elementAt(value, i));
    if (elements.every(isHashable)) return { id, eval: setMembership(item.eval, elements) };
  }
  const { implementation } = reference.declaration;
  if (implementation?.arity !== 2) throw new Error("`in` has two operands");
  const { call } = implementation;
  const cost = callCost(reference, compiler);
  return {
    id,
    eval: (frame) => {
      const a = item.eval(frame);
      const b = list.eval(frame);
      const result = a instanceof Failure ? a : b instanceof Failure ? b : labelled(call(a, b, frame.outside), id);
      frame.cost += cost === 1 ? 1 : cost([a, b], result);
      return result;
    },
  };
}

function isHashable(value: Value): value is CelValue {
  return typeof value === "string" || typeof value === "boolean" || (!(value instanceof Failure) && isNumeric(value));
}

function setMembership(item: Eval, elements: readonly CelValue[]): Eval {
  const plain = new Set(elements.filter((element) => typeof element === "string" || typeof element === "boolean"));
  const numbers = elements.filter(isNumeric);
  return (frame) => {
    const value = item(frame);
    if (value instanceof Failure) return value;
    if (typeof value === "string" || typeof value === "boolean") return plain.has(value);
    return isNumeric(value) && numbers.some((number) => compareNumbers(number, value) === 0);
  };
}

/** `a.or(b)` and `a.orValue(b)`: the second is evaluated only where the first has no value; they cost nothing. */
function optionalOr(reference: FunctionReference, left: Eval, right: Eval, compiler: Compiler, id: number): Node | undefined {
  const { name, overloads } = reference.declaration;
  if (!overloads.some((overload) => overload.id.startsWith("optional_or"))) return undefined;
  const unwrap = name === "orValue";
  const lenient = compiler.env.options.lenientOptionals;
  return {
    id,
    eval: (frame) => {
      const value = left(frame);
      if (value instanceof Failure) return value;
      if (!(value instanceof Optional)) return lenient ? value : fail("no such overload", id);
      if (value.value === undefined) return right(frame);
      return unwrap ? value.value : value;
    },
  };
}
