import { anyOf, anyType, arrayOf, booleanType, objectOf, setOf } from "../types/type.ts";
import { equalValues } from "../values/compare.ts";
import { isNumber } from "../values/number.ts";
import { RegoObject, RegoSet, type Value } from "../values/value.ts";
import { type Builtin, BuiltinError } from "./builtin.ts";
import {
  any,
  array,
  binary,
  declared,
  elementError,
  isArray,
  isObject,
  isSet,
  object,
  ternary,
  typeError,
  unary,
} from "./operand.ts";

const anyObject = objectOf(anyType, anyType);
const keysType = anyOf(arrayOf(anyType), anyObject, setOf(anyType));
const keysOperand = { ...any, type: keysType };

/** The keys that an array, a set or an object names. */
function keySet(value: Value): RegoSet | BuiltinError {
  if (value instanceof RegoSet) return value;
  if (isArray(value)) return RegoSet.of(value);
  if (isObject(value)) return RegoSet.of(value.sorted().map(({ key }) => key));
  return typeError(2, value, "object", "set", "array");
}

function selected(name: string, keep: boolean): Builtin {
  return binary(name, [object, keysOperand], anyObject, (whole, keys) => {
    const wanted = keySet(keys);
    if (wanted instanceof BuiltinError) return wanted;
    const members = whole.sorted().filter(({ key }) => wanted.has(key) === keep);
    return RegoObject.of(members.map(({ key, value }) => [key, value]));
  });
}

/** The element of a composite value; of a set the element itself. */
export function elementOf(value: Value, key: Value): Value | undefined {
  if (value instanceof RegoObject) return value.get(key);
  if (value instanceof RegoSet) return value.has(key) ? key : undefined;
  return isArray(value) && isNumber(key) ? value[Number(key)] : undefined;
}

function get(whole: RegoObject, path: Value, fallback: Value): Value {
  let found: Value | undefined = whole;
  for (const key of isArray(path) ? path : [path]) {
    found = elementOf(found, key);
    if (found === undefined) return fallback;
  }
  return found;
}

/** Objects are merged member by member all the way down; of anything else the second one stays. */
function union(a: RegoObject, b: RegoObject): RegoObject {
  const merged = a.sorted().map(({ key, value }): [Value, Value] => {
    const other = b.get(key);
    if (other === undefined) return [key, value];
    return [key, isObject(value) && isObject(other) ? union(value, other) : other];
  });
  for (const { key, value } of b.sorted()) if (!a.has(key)) merged.push([key, value]);
  return RegoObject.of(merged);
}

function subset(whole: Value, part: Value): boolean | undefined {
  if (isObject(whole) && isObject(part)) {
    return part.sorted().every(({ key, value }) => {
      const other = whole.get(key);
      return other !== undefined && (equalValues(other, value) || (sameKind(other, value) && subset(other, value) === true));
    });
  }
  if (isSet(whole) && isSet(part)) return part.sorted().every((item) => whole.has(item));
  if (isArray(whole) && isArray(part)) return holdsRun(whole, part);
  if (isArray(whole) && isSet(part)) return holdsAll(whole, part);
  return undefined;
}

/** Members of objects are compared with members of their own kind only. */
function sameKind(a: Value, b: Value): boolean {
  return (isObject(a) && isObject(b)) || (isSet(a) && isSet(b)) || (isArray(a) && isArray(b));
}

/** Whether the elements of `part` follow one another somewhere in `whole`. */
function holdsRun(whole: readonly Value[], part: readonly Value[]): boolean {
  if (part.length > whole.length) return false;
  let start = 0;
  let matched = 0;
  while (matched < part.length) {
    const item = whole[start + matched];
    if (item === undefined) return false;
    if (equalValues(item, part[matched] ?? null)) matched++;
    else {
      start++;
      matched = 0;
    }
  }
  return true;
}

/** As OPA counts: each occurrence in the array stands for one element of the set, and an empty array holds nothing. */
function holdsAll(whole: readonly Value[], part: RegoSet): boolean {
  let missing = part.size;
  return whole.some((item) => {
    if (part.has(item)) missing--;
    return missing === 0;
  });
}

const subsetOperand = { ...any, type: keysType };
const arrayOfObjects = declared(arrayOf(anyObject), array);

export const objectBuiltins: readonly Builtin[] = [
  ternary("object.get", [object, any, any], anyType, get),
  unary("object.keys", object, setOf(anyType), (whole) => RegoSet.of(whole.sorted().map(({ key }) => key))),
  selected("object.remove", false),
  selected("object.filter", true),
  binary("object.union", [object, object], anyObject, union),
  unary("object.union_n", arrayOfObjects, anyObject, (objects) => {
    let merged = RegoObject.empty;
    for (const item of objects) {
      if (!isObject(item)) return elementError(1, objects, item, "object");
      merged = union(merged, item);
    }
    return merged;
  }),
  binary("object.subset", [subsetOperand, subsetOperand], booleanType, (whole, part) => {
    const holds = subset(whole, part);
    if (holds !== undefined) return holds;
    return new BuiltinError("eval_type_error", "both arguments object.subset must be of the same type or array and set");
  }),
];
