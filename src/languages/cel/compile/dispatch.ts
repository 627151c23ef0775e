import type { FunctionDeclaration, Implementation, Outside, Overload } from "../declarations.ts";
import type { CelType } from "../types.ts";
import { isAssignableAtRunTime, typeOf } from "../values/type-of.ts";
import { CelError, type CelValue, Failure, type Value } from "../values/value.ts";

/** Whether a value may be given where `type` is declared. */
function matcher(type: CelType): (value: CelValue) => boolean {
  if (type.kind === "string" && !type.nullable) return (value) => typeof value === "string";
  if (type.kind === "bool" && !type.nullable) return (value) => typeof value === "boolean";
  return (value) => isAssignableAtRunTime(type, value);
}

function mismatch(name: string, args: readonly CelValue[]): CelError {
  return new CelError(`no such overload: ${name}(${args.map((arg) => typeOf(arg).name).join(", ")})`);
}

/** The implementation behind a check of its arguments: static types may be `dyn`. */
export function guarded(name: string, overload: Overload, implementation: Implementation): Implementation {
  const matchers = overload.args.map(matcher);
  const [first, second] = matchers;
  if (implementation.arity === 1 && first !== undefined) {
    const { call } = implementation;
    return { arity: 1, call: (a, outside) => (first(a) ? call(a, outside) : mismatch(name, [a])) };
  }
  if (implementation.arity === 2 && first !== undefined && second !== undefined) {
    const { call } = implementation;
    return { arity: 2, call: (a, b, outside) => (first(a) && second(b) ? call(a, b, outside) : mismatch(name, [a, b])) };
  }
  if (implementation.arity !== "variadic") throw new Error(`${overload.id} is declared with another number of arguments`);
  const { call } = implementation;
  return {
    arity: "variadic",
    call: (args, outside) => (fits(matchers, args) ? call(args, outside) : mismatch(name, args)),
  };
}

function fits(matchers: readonly ((value: CelValue) => boolean)[], args: readonly CelValue[]): boolean {
  return args.length === matchers.length && matchers.every((matches, i) => matches(args[i] ?? null));
}

/** Finds the overload at run time, by the values: the first that takes them. */
export function dispatcher(declaration: FunctionDeclaration, arity: number): (args: readonly Value[], outside: Outside) => Value {
  const overloads = declaration.overloads
    .filter((overload) => overload.args.length === arity)
    .flatMap(({ args, implementation }) =>
      implementation === undefined ? [] : [{ matchers: args.map(matcher), implementation }],
    );
  return (args, outside) => {
    const values: CelValue[] = [];
    for (const arg of args) {
      if (arg instanceof Failure) return arg;
      values.push(arg);
    }
    for (const { matchers, implementation } of overloads) {
      if (fits(matchers, values)) return invoke(implementation, values, outside);
    }
    return mismatch(declaration.name, values);
  };
}

function invoke(implementation: Implementation, args: readonly CelValue[], outside: Outside): Value {
  const [a = null, b = null] = args;
  switch (implementation.arity) {
    case 1:
      return implementation.call(a, outside);
    case 2:
      return implementation.call(a, b, outside);
    default:
      return implementation.call(args, outside);
  }
}
