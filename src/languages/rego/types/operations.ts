import { compareValues } from "../values/compare.ts";
import { indexOf, isNumber } from "../values/number.ts";
import { RegoObject, RegoSet, type Value } from "../values/value.ts";
import { anyType, booleanType, type FunctionType, nullType, numberType, stringType, type Type, unknownType } from "./type.ts";

export type ArrayType = Type & { readonly kind: "array" };
export type ObjectType = Type & { readonly kind: "object" };

const order: readonly Type["kind"][] = [
  "unknown",
  "null",
  "boolean",
  "number",
  "string",
  "array",
  "object",
  "set",
  "any",
  "function",
];

/** A total order on types; 0 for equal ones. */
function compareTypes(a: Type, b: Type): number {
  if (a === b) return 0;
  const kinds = order.indexOf(a.kind) - order.indexOf(b.kind);
  if (kinds !== 0) return kinds;
  if (a.kind === "array" && b.kind === "array") return compareRests(a.rest, b.rest) || compareLists(a.fixed, b.fixed);
  if (a.kind === "object" && b.kind === "object") return compareObjects(a, b);
  if (a.kind === "set" && b.kind === "set") return compareTypes(a.of, b.of);
  if (a.kind === "any" && b.kind === "any") return compareLists(a.of, b.of);
  if (a.kind === "function" && b.kind === "function") {
    const args = (type: FunctionType): readonly Type[] => type.args.map((arg) => arg.type);
    return (
      a.args.length - b.args.length ||
      compareLists(args(a), args(b)) ||
      compareTypes(a.result ?? unknownType, b.result ?? unknownType)
    );
  }
  return 0;
}

function compareRests(a: Type | undefined, b: Type | undefined): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
  return compareTypes(a, b);
}

function compareLists(a: readonly Type[], b: readonly Type[]): number {
  for (const [i, type] of a.entries()) {
    const other = b[i];
    if (other === undefined) return 1;
    const compared = compareTypes(type, other);
    if (compared !== 0) return compared;
  }
  return a.length - b.length;
}

function compareObjects(a: ObjectType, b: ObjectType): number {
  const rests = compareRests(a.rest?.key, b.rest?.key) || compareRests(a.rest?.value, b.rest?.value);
  if (rests !== 0) return rests;
  for (const [i, [key, type]] of a.fixed.entries()) {
    const other = b.fixed[i];
    if (other === undefined) return 1;
    const compared = compareValues(key, other[0]) || compareTypes(type, other[1]);
    if (compared !== 0) return compared;
  }
  return a.fixed.length - b.fixed.length;
}

export function isAny(type: Type): boolean {
  return type.kind === "any" && type.of.length === 0;
}

function includes(a: Type, b: Type): boolean {
  if (a.kind !== "any") return compareTypes(a, b) === 0;
  return b.kind !== "function" && (a.of.length === 0 || a.of.some((type) => compareTypes(type, b) === 0));
}

/** What two definitions of one function take and answer. */
function orFunctions(a: FunctionType, b: FunctionType): Type {
  if (a.args.length !== b.args.length) return unknownType;
  const args = a.args.map((arg, i) => ({ type: orTypes(arg.type, b.args[i]?.type ?? unknownType) }));
  return { kind: "function", args, result: orTypes(a.result ?? unknownType, b.result ?? unknownType) };
}

/** What is of one type or of the other. */
export function orTypes(a: Type, b: Type): Type {
  if (a.kind === "unknown") return b;
  if (b.kind === "unknown") return a;
  if (a.kind === "function" && b.kind === "function") return orFunctions(a, b);
  if (a.kind === "function" || b.kind === "function") return unknownType;
  if (includes(a, b)) return a;
  if (includes(b, a)) return b;
  const members = (type: Type): readonly Type[] => (type.kind === "any" ? type.of : [type]);
  const all = [...members(a), ...members(b)].sort(compareTypes);
  const distinct = all.filter((type, i) => i === 0 || compareTypes(all[i - 1] ?? unknownType, type) !== 0);
  return { kind: "any", of: distinct };
}

/** The type of a value. */
export function typeOfValue(value: Value): Type {
  if (value === null) return nullType;
  if (typeof value === "boolean") return booleanType;
  if (typeof value === "string") return stringType;
  if (isNumber(value)) return numberType;
  if (value instanceof RegoSet) return { kind: "array", fixed: value.sorted().map(typeOfValue) };
  if (value instanceof RegoObject) {
    return { kind: "object", fixed: value.sorted().map(({ key, value: member }) => [key, typeOfValue(member)] as const) };
  }
  return { kind: "array", fixed: value.map(typeOfValue) };
}

/** The type at a constant key; unknown where nothing can be there. */
export function selectType(type: Type, key: Value): Type {
  switch (type.kind) {
    case "array": {
      const index = isNumber(key) ? indexOf(key) : undefined;
      return index === undefined ? unknownType : elementType(type, index);
    }
    case "object": {
      const member = type.fixed.find(([name]) => compareValues(name, key) === 0);
      if (member !== undefined) return member[1];
      return type.rest !== undefined && includes(type.rest.key, typeOfValue(key)) ? type.rest.value : unknownType;
    }
    case "set": {
      const own = typeOfValue(key);
      if (compareTypes(type.of, own) === 0) return type.of;
      return type.of.kind === "any" && includes(type.of, own) ? own : unknownType;
    }
    case "any":
      return isAny(type) ? anyType : union(type.of, (member) => selectType(member, key));
    default:
      return unknownType;
  }
}

export function elementType(type: ArrayType, index: number): Type {
  return index < 0 ? unknownType : (type.fixed[index] ?? type.rest ?? unknownType);
}

function union(types: readonly Type[], map: (type: Type) => Type): Type {
  return types.reduce((before, type) => orTypes(map(type), before), unknownType);
}

/** The type of the keys of a collection; undefined: it is none. */
export function keysOf(type: Type): Type | undefined {
  switch (type.kind) {
    case "array":
      return numberType;
    case "object": {
      const keys = union(
        type.fixed.map(([key]) => typeOfValue(key)),
        (key) => key,
      );
      const all = orTypes(keys, type.rest?.key ?? unknownType);
      return all.kind === "unknown" ? undefined : all;
    }
    case "set":
      return type.of.kind === "unknown" ? undefined : type.of;
    case "any": {
      if (isAny(type)) return anyType;
      const keys = union(type.of, (member) => keysOf(member) ?? unknownType);
      return keys.kind === "unknown" ? undefined : keys;
    }
    default:
      return undefined;
  }
}

/** The type of the elements of a collection; unknown where it has none. */
export function valuesOf(type: Type): Type {
  switch (type.kind) {
    case "array":
      return orTypes(
        union(type.fixed, (own) => own),
        type.rest ?? unknownType,
      );
    case "object": {
      const values = type.fixed.map(([, value]) => value);
      return orTypes(
        union(values, (own) => own),
        type.rest?.value ?? unknownType,
      );
    }
    case "set":
      return type.of;
    case "any":
      return isAny(type) ? anyType : union(type.of, valuesOf);
    default:
      return unknownType;
  }
}

/** Whether a type, or a part of it, is unknown. */
export function isUnknown(type: Type): boolean {
  switch (type.kind) {
    case "unknown":
      return true;
    case "array":
      return type.fixed.some(isUnknown) || (type.rest !== undefined && isUnknown(type.rest));
    case "object":
      return (
        type.fixed.some(([, value]) => isUnknown(value)) ||
        (type.rest !== undefined && (isUnknown(type.rest.key) || isUnknown(type.rest.value)))
      );
    case "set":
      return isUnknown(type.of);
    case "function":
      return type.args.some((arg) => isUnknown(arg.type)) || isUnknown(type.result ?? unknownType);
    default:
      return false;
  }
}

/** A collection that holds nothing. */
export function isEmptyCollection(type: Type): boolean {
  switch (type.kind) {
    case "object":
      return type.fixed.length === 0 && type.rest === undefined;
    case "array":
      return type.fixed.length === 0 && type.rest === undefined;
    case "set":
      return type.of.kind === "unknown";
    default:
      return false;
  }
}

/** What several rules of one name make together. */
export function mergeTypes(a: Type, b: Type): Type {
  if (a.kind === "unknown") return b;
  if (b.kind === "unknown") return a;
  if (a.kind === "object" && b.kind === "object" && a.fixed.length === 0 && b.fixed.length === 0) {
    if (a.rest === undefined) return b;
    if (b.rest === undefined) return a;
    const rest = { key: orTypes(a.rest.key, b.rest.key), value: mergeTypes(a.rest.value, b.rest.value) };
    return { kind: "object", fixed: [], rest };
  }
  if (a.kind === "set" && b.kind === "set") return { kind: "set", of: orTypes(a.of, b.of) };
  return orTypes(a, b);
}
