import { anyOf, anyType, arrayOf, fn, numberType, objectOf, setOf, stringType, type Type } from "../types/type.ts";
import { indexOf, integerOf, isNumber, type NumberValue } from "../values/number.ts";
import { kindOf } from "../values/print.ts";
import { RegoObject, RegoSet, type Value } from "../values/value.ts";
import { type Builtin, type BuiltinContext, BuiltinError, type BuiltinResult } from "./builtin.ts";

/** An argument of a builtin: its declared type, and how the implementation reads it. */
export interface Operand<T> {
  readonly type: Type;
  /** `position` counts from 1. */
  read(value: Value, position: number): T | BuiltinError;
}

/** "operand 2 must be ..." */
export function operandError(position: number, problem: string): BuiltinError {
  return new BuiltinError("eval_type_error", `operand ${position} ${problem}`);
}

/** An operand of the wrong type. */
export function typeError(position: number, got: Value, ...expected: readonly string[]): BuiltinError {
  const [only = ""] = expected;
  const wanted = expected.length === 1 ? only : `one of {${expected.join(", ")}}`;
  return operandError(position, `must be ${wanted} but got ${kindOf(got)}`);
}

/** An element of the wrong type in an array or set. */
export function elementError(position: number, whole: Value, got: Value, ...expected: readonly string[]): BuiltinError {
  const kind = kindOf(whole);
  const [only = ""] = expected;
  const wanted = expected.length === 1 ? `${only}s` : `(any of) {${expected.join(", ")}}`;
  return operandError(position, `must be ${kind} of ${wanted} but got ${kind} containing ${kindOf(got)}`);
}

/** Any other failure of a builtin. */
export function failure(message: string): BuiltinError {
  return new BuiltinError("eval_builtin_error", message);
}

function operand<T extends Value>(type: Type, expected: readonly string[], is: (value: Value) => value is T): Operand<T> {
  return {
    type,
    read: (value, position) => (is(value) ? value : typeError(position, value, ...expected)),
  };
}

export const isArray = (value: Value): value is readonly Value[] => Array.isArray(value);
export const isObject = (value: Value): value is RegoObject => value instanceof RegoObject;
export const isSet = (value: Value): value is RegoSet => value instanceof RegoSet;
const isString = (value: Value): value is string => typeof value === "string";
const isAny = (_: Value): _ is Value => true;

export const any: Operand<Value> = operand(anyType, [], isAny);
export const string: Operand<string> = operand(stringType, ["string"], isString);
export const number: Operand<NumberValue> = operand(numberType, ["number"], (v): v is NumberValue => isNumber(v));
export const array: Operand<readonly Value[]> = operand(arrayOf(anyType), ["array"], isArray);
export const object: Operand<RegoObject> = operand(objectOf(anyType, anyType), ["object"], isObject);
export const set: Operand<RegoSet> = operand(setOf(anyType), ["set"], isSet);

/** The same operand declared with a narrower or wider type than the implementation insists on. */
export function declared<T>(type: Type, from: Operand<T>): Operand<T> {
  return { type, read: from.read };
}

const notWhole = "must be integer number but got floating-point number";

/** An integer that fits 64 bits. */
export const integer: Operand<number> = {
  type: numberType,
  read(value, position) {
    if (!isNumber(value)) return typeError(position, value, "number");
    return indexOf(value) ?? operandError(position, notWhole);
  },
};

/** An integer of any size. */
export const bigInteger: Operand<bigint> = {
  type: numberType,
  read(value, position) {
    if (!isNumber(value)) return typeError(position, value, "integer");
    return integerOf(value) ?? operandError(position, notWhole);
  },
};

/** An array or a set. `expected` are the names for the error message, in its order. */
export function listOrSet(
  type: Type = anyOf(arrayOf(anyType), setOf(anyType)),
  expected: readonly string[] = ["set", "array"],
): Operand<readonly Value[] | RegoSet> {
  return operand(type, expected, (v): v is readonly Value[] | RegoSet => isArray(v) || isSet(v));
}

/** The elements of an array, or of a set in order. */
export function itemsOf(collection: readonly Value[] | RegoSet): readonly Value[] {
  return collection instanceof RegoSet ? collection.sorted() : collection;
}

/** The elements where all are strings. */
export function stringsOf(collection: readonly Value[] | RegoSet, position: number): readonly string[] | BuiltinError {
  const items = itemsOf(collection);
  const odd = items.find((item) => typeof item !== "string");
  if (odd !== undefined) return elementError(position, collection, odd, "string");
  return items.filter(isString);
}

export const isError = (value: unknown): value is BuiltinError => value instanceof BuiltinError;

type More = Partial<Pick<Builtin, "infix" | "nondeterministic" | "deprecated">>;

/** Builtins of one to four arguments. Arguments are read in order; the first that is refused is the error. */
export function unary<A>(
  name: string,
  a: Operand<A>,
  result: Type | undefined,
  run: (a: A, context: BuiltinContext) => BuiltinResult,
  more: More = {},
): Builtin {
  const call: Builtin["call"] = (args, context) => {
    const first = a.read(args[0] ?? null, 1);
    return isError(first) ? first : run(first, context);
  };
  return { name, type: fn([a.type], result), call, ...more };
}

export function binary<A, B>(
  name: string,
  [a, b]: readonly [Operand<A>, Operand<B>],
  result: Type,
  run: (a: A, b: B, context: BuiltinContext) => BuiltinResult,
  more: More = {},
): Builtin {
  const call: Builtin["call"] = (args, context) => {
    const first = a.read(args[0] ?? null, 1);
    if (isError(first)) return first;
    const second = b.read(args[1] ?? null, 2);
    return isError(second) ? second : run(first, second, context);
  };
  return { name, type: fn([a.type, b.type], result), call, ...more };
}

export function ternary<A, B, C>(
  name: string,
  [a, b, c]: readonly [Operand<A>, Operand<B>, Operand<C>],
  result: Type,
  run: (a: A, b: B, c: C, context: BuiltinContext) => BuiltinResult,
  more: More = {},
): Builtin {
  const call: Builtin["call"] = ([x = null, y = null, z = null], context) => {
    const first = a.read(x, 1);
    if (isError(first)) return first;
    const second = b.read(y, 2);
    if (isError(second)) return second;
    const third = c.read(z, 3);
    return isError(third) ? third : run(first, second, third, context);
  };
  return { name, type: fn([a.type, b.type, c.type], result), call, ...more };
}

export function quaternary<A, B, C, D>(
  name: string,
  [a, b, c, d]: readonly [Operand<A>, Operand<B>, Operand<C>, Operand<D>],
  result: Type,
  run: (a: A, b: B, c: C, d: D) => BuiltinResult,
): Builtin {
  const call: Builtin["call"] = ([w = null, x = null, y = null, z = null]) => {
    const first = a.read(w, 1);
    if (isError(first)) return first;
    const second = b.read(x, 2);
    if (isError(second)) return second;
    const third = c.read(y, 3);
    if (isError(third)) return third;
    const fourth = d.read(z, 4);
    return isError(fourth) ? fourth : run(first, second, third, fourth);
  };
  return { name, type: fn([a.type, b.type, c.type, d.type], result), call };
}
