import type { Facts } from "../../core/facts.ts";
import type { Host } from "../../core/host.ts";
import type { CallEstimate, EstimateContext, SizedNode } from "./cost/size.ts";
import type { Macro } from "./macro.ts";
import type { CelType, CelTypeOf } from "./types.ts";
import type { Validator } from "./validators.ts";
import type { CelValue, Value } from "./values/value.ts";

/** What functions that reach beyond their arguments are given. */
export interface Outside {
  readonly facts: Facts;
  readonly host: Host;
}

/** How a function is computed. A variadic one is not called, and costs nothing, once an argument has failed. */
export type Implementation =
  | { readonly arity: 1; readonly call: (a: CelValue, outside: Outside) => Value }
  | { readonly arity: 2; readonly call: (a: CelValue, b: CelValue, outside: Outside) => Value }
  | { readonly arity: "variadic"; readonly call: (args: readonly CelValue[], outside: Outside) => Value };

/** One signature of a function. */
export interface Overload {
  /** As in cel-go; costs and references go by it. */
  readonly id: string;
  /** `args[0].f(args[1])` rather than `f(args[0], args[1])`. */
  readonly member: boolean;
  readonly args: readonly CelType[];
  readonly result: CelType;
  /** Undefined where the function as a whole is computed in one place, or by the compiler. */
  readonly implementation?: Implementation;
  /** What a call costs; undefined: by the rules for all functions. */
  readonly cost?: (args: readonly Value[], result: Value) => number;
  readonly estimate?: (
    context: EstimateContext,
    target: SizedNode | undefined,
    args: readonly SizedNode[],
  ) => CallEstimate | undefined;
}

export interface FunctionDeclaration {
  readonly name: string;
  readonly overloads: readonly Overload[];
  /** Computes every overload by the values it is given: operators do not look at static types. */
  readonly implementation?: Implementation;
  /** Whether argument types are checked by the implementation itself. */
  readonly unguarded?: boolean;
}

export interface VariableDeclaration {
  readonly name: string;
  readonly type: CelType;
  /** A constant: enum values. */
  readonly value?: CelValue;
}

/** A message type: its fields, and how a value is made of them. */
export interface StructDeclaration {
  readonly type: CelType;
  /** The type of a field; undefined where there is none. */
  field(name: string): CelType | undefined;
  /** Undefined: values of the type only come from outside. */
  readonly create?: (fields: ReadonlyMap<string, CelValue>) => Value;
}

/** A set of declarations that is enabled as a whole. */
export interface Library {
  readonly name: string;
  readonly functions?: readonly FunctionDeclaration[];
  readonly macros?: readonly Macro[];
  readonly variables?: readonly VariableDeclaration[];
  readonly structs?: readonly StructDeclaration[];
  readonly validators?: readonly Validator[];
  /** `.?`, `[?]`, `{?k: v}`, `[?x]` */
  readonly optionalSyntax?: boolean;
}

/** The TypeScript types of values of the given CEL types. */
type ValuesOf<T extends readonly CelTypeOf<unknown>[]> = {
  [K in keyof T]: T[K] extends CelTypeOf<infer V> ? V : never;
};

type Args = readonly CelTypeOf<unknown>[];

/**
 * A signature with its computation. The arguments are checked against `args` before each call,
 * so that `compute` gets values of the TypeScript types that the CEL types stand for.
 */
export function overload<const T extends Args>(
  id: string,
  args: T,
  result: CelType,
  compute: (...args: ValuesOf<T>) => Value,
  more: Omit<Partial<Overload>, "id" | "args" | "result" | "implementation"> & { readonly variadic?: boolean } = {},
): Overload {
  const { variadic = false, ...rest } = more;
  const call = compute as unknown as (...args: readonly CelValue[]) => Value;
  const implementation: Implementation =
    args.length === 1 && !variadic
      ? { arity: 1, call: (a) => call(a) }
      : args.length === 2 && !variadic
        ? { arity: 2, call: (a, b) => call(a, b) }
        : { arity: "variadic", call: (values) => call(...values) };
  return { id, member: false, args, result, implementation, ...rest };
}

/** As {@link overload}, called on its first argument. */
export function memberOverload<const T extends Args>(
  id: string,
  args: T,
  result: CelType,
  compute: (...args: ValuesOf<T>) => Value,
  more: Omit<Partial<Overload>, "id" | "args" | "result" | "implementation"> & { readonly variadic?: boolean } = {},
): Overload {
  return overload(id, args, result, compute, { ...more, member: true });
}

/** A signature that the function's own implementation, or the compiler, computes. */
export function signature(id: string, args: readonly CelType[], result: CelType, member = false): Overload {
  return { id, member, args, result };
}
