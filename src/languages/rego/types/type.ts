import type { Value } from "../values/value.ts";

/** The static type of a Rego value, as OPA's `types` package has them. */
export type Type =
  /** Unknown: of a variable that nothing says anything about yet. */
  | { readonly kind: "null" | "boolean" | "number" | "string" | "unknown" }
  /** `fixed`: the types of the first elements; `rest`: of all further ones, if there may be any. */
  | { readonly kind: "array"; readonly fixed: readonly Type[]; readonly rest?: Type | undefined }
  | { readonly kind: "set"; readonly of: Type }
  | {
      readonly kind: "object";
      readonly fixed: readonly (readonly [Value, Type])[];
      readonly rest?: { readonly key: Type; readonly value: Type } | undefined;
    }
  /** One of the types; of no types: any value at all. */
  | { readonly kind: "any"; readonly of: readonly Type[] }
  | FunctionType;

export interface FunctionType {
  readonly kind: "function";
  readonly args: readonly NamedType[];
  /** The type of all further arguments. */
  readonly variadic?: Type | undefined;
  /** Undefined: the function has no result (print). */
  readonly result?: Type | undefined;
}

/** An argument or result; its name only serves error messages. */
export interface NamedType {
  readonly name?: string | undefined;
  readonly type: Type;
}

export const nullType: Type = { kind: "null" };
export const booleanType: Type = { kind: "boolean" };
export const numberType: Type = { kind: "number" };
export const stringType: Type = { kind: "string" };
export const unknownType: Type = { kind: "unknown" };
export const anyType: Type = { kind: "any", of: [] };

export function anyOf(...of: readonly Type[]): Type {
  return { kind: "any", of };
}

/** An array of any length whose elements are `rest`. */
export function arrayOf(rest: Type): Type {
  return { kind: "array", fixed: [], rest };
}

export function tuple(...fixed: readonly Type[]): Type {
  return { kind: "array", fixed };
}

export function setOf(of: Type): Type {
  return { kind: "set", of };
}

export function objectOf(key: Type, value: Type): Type {
  return { kind: "object", fixed: [], rest: { key, value } };
}

/** An object of exactly these string members. */
export function record(members: { readonly [key: string]: Type }): Type {
  return { kind: "object", fixed: Object.entries(members).sort(([a], [b]) => (a < b ? -1 : 1)) };
}

/** A function type: arguments in order, names for error messages. */
export function fn(args: readonly (Type | readonly [string, Type])[], result?: Type, variadic?: Type): FunctionType {
  const isNamed = (arg: Type | readonly [string, Type]): arg is readonly [string, Type] => Array.isArray(arg);
  return {
    kind: "function",
    args: args.map((arg) => (isNamed(arg) ? { name: arg[0], type: arg[1] } : { type: arg })),
    result,
    variadic,
  };
}
