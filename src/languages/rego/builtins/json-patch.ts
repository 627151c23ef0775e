import { anyType, arrayOf, stringType, type Type } from "../types/type.ts";
import { equalValues } from "../values/compare.ts";
import { indexOf, isNumber, parseNumber } from "../values/number.ts";
import { kindOf, printValue } from "../values/print.ts";
import { RegoObject, RegoSet, type Value } from "../values/value.ts";
import type { Builtin, BuiltinError } from "./builtin.ts";
import { parsePath } from "./json-paths.ts";
import { any, array, binary, declared, failure, isArray, isError, isSet } from "./operand.ts";

type Result = Value | BuiltinError;

/** What happens to one composite value at the end of a path. */
type Edit = (whole: Value, key: Value) => Result;

/** The place in an array of `length` elements that a key means; "-" is the place after the last. */
function arrayIndex(key: Value, length: number): number | BuiltinError {
  if (isNumber(key)) return indexOf(key) ?? failure("invalid number type for indexing");
  if (typeof key !== "string") return failure("invalid type for indexing");
  if (key === "-") return length;
  const index = /^[-+]?\d+(\.0*)?$/.test(key) ? indexOf(parseNumber(key)) : undefined;
  if (index === undefined) return failure("invalid string for indexing");
  return key !== "0" && key.startsWith("0") ? failure("leading zeros are not allowed in JSON paths") : index;
}

/** A scalar with the name of its kind. */
const described = (value: Value): string => {
  const kind = kindOf(value);
  return `${printValue(value)} (type: ast.${kind.charAt(0).toUpperCase()}${kind.slice(1)})`;
};

const notComposite = (value: Value): BuiltinError => failure(`expected composite type, found value: ${described(value)}`);

const insert =
  (value: Value): Edit =>
  (whole, key) => {
    if (whole instanceof RegoObject) return withMember(whole, key, value);
    if (isSet(whole)) {
      if (equalValues(key, value)) return RegoSet.of([...whole.unordered(), value]);
      return failure(`set key ${printValue(key)} does not equal value to be inserted ${printValue(value)}`);
    }
    if (!isArray(whole)) return notComposite(whole);
    const index = arrayIndex(key, whole.length);
    if (isError(index)) return index;
    if (index < 0 || index > whole.length) return failure("index for array insertion out of bounds");
    return whole.toSpliced(index, 0, value);
  };

const remove: Edit = (whole, key) => {
  if (isArray(whole)) {
    const index = arrayIndex(key, whole.length);
    if (isError(index)) return index;
    if (index < 0 || index >= whole.length) return failure("index for array delete out of bounds");
    return whole.toSpliced(index, 1);
  }
  if (isSet(whole)) {
    if (whole.has(key)) return RegoSet.of(whole.sorted().filter((item) => !equalValues(item, key)));
  } else if (whole instanceof RegoObject) {
    if (whole.has(key)) return withMember(whole, key, undefined);
  } else {
    return notComposite(whole);
  }
  return failure(`cannot delete child key ${printValue(key)} that does not exist`);
};

function withMember(whole: RegoObject, key: Value, value: Value | undefined): RegoObject {
  const others = whole.sorted().filter((member) => !equalValues(member.key, key));
  const members = others.map((member): readonly [Value, Value] => [member.key, member.value]);
  return RegoObject.of(value === undefined ? members : [...members, [key, value]]);
}

/** The element that a path goes through. */
function childOf(whole: Value, key: Value): Result {
  const missing = (kind: string) => failure(`path ${printValue(key)} does not exist in ${kind} term ${printValue(whole)}`);
  const present = (value: Value | undefined, kind: string): Result => (value === undefined ? missing(kind) : value);
  if (whole instanceof RegoObject) return present(whole.get(key), "object");
  if (isSet(whole)) return whole.has(key) ? key : missing("set");
  if (!isArray(whole)) return failure(`expected composite type for path ${printValue(key)}, found value: ${described(whole)}`);
  const index = arrayIndex(key, whole.length);
  if (isError(index)) return index;
  const item = whole[index];
  return item === undefined ? failure(`path ${index} does not exist in array term ${printValue(whole)}`) : item;
}

function edit(whole: Value, path: readonly Value[], change: Edit): Result {
  const [key = null, ...rest] = path;
  if (rest.length === 0) return change(whole, key);
  const old = childOf(whole, key);
  if (isError(old)) return old;
  const changed = edit(old, rest, change);
  if (isError(changed)) return changed;
  if (whole instanceof RegoObject) return withMember(whole, key, changed);
  if (isArray(whole)) {
    const index = arrayIndex(key, whole.length);
    return isError(index) ? index : whole.with(index, changed);
  }
  return isSet(whole) ? RegoSet.of(whole.sorted().map((item) => (equalValues(item, key) ? changed : item))) : whole;
}

function valueAt(whole: Value, path: readonly Value[]): Result {
  let found: Result = whole;
  for (const key of path) {
    found = childOf(found, key);
    if (isError(found)) return found;
  }
  return found;
}

/** The document while patches are applied; undefined: it was removed as a whole. */
type Document = Value | undefined;
type Step = Document | BuiltinError;

const gone = failure("nil value encountered where composite value was expected");

function inserted(document: Document, path: readonly Value[], value: Value): Step {
  if (path.length === 0) return value;
  const lost = path.length === 1 ? failure("deleted node encountered during insert operation") : gone;
  return document === undefined ? lost : edit(document, path, insert(value));
}

function removed(document: Document, path: readonly Value[]): Step {
  if (document === undefined) return failure("deleted node encountered during delete operation");
  return path.length === 0 ? undefined : edit(document, path, remove);
}

function applyPatch(document: Document, patch: RegoObject): Step {
  const missing = (name: string) => failure(`missing required attribute '${name}'`);
  const pathValue = patch.get("path");
  if (pathValue === undefined) return missing("path");
  const op = patch.get("op");
  if (op === undefined) return missing("op");
  if (typeof op !== "string") return failure(`attribute 'op' must be a string but found: ${kindOf(op)}`);
  const path = parsePath(pathValue);
  if (isError(path)) return path;
  const value = patch.get("value");
  switch (op) {
    case "add":
      return value === undefined ? missing("value") : inserted(document, path, value);
    case "remove":
      return removed(document, path);
    case "replace": {
      const rest = removed(document, path);
      if (isError(rest)) return rest;
      return value === undefined ? missing("value") : inserted(rest, path, value);
    }
    case "move":
    case "copy":
      return transfer(document, patch.get("from"), path, op === "move");
    case "test": {
      const found = document === undefined ? gone : valueAt(document, path);
      if (isError(found)) return found;
      if (value === undefined) return missing("value");
      if (equalValues(found, value)) return document;
      return failure(`value from EditTree != patch value.\n\nExpected: ${printValue(value)}\n\nFound: ${printValue(found)}`);
    }
    default:
      return failure(`unrecognized op: '${op}'`);
  }
}

function transfer(document: Document, fromValue: Value | undefined, path: readonly Value[], move: boolean): Step {
  if (fromValue === undefined) return failure("missing required attribute 'from'");
  const from = parsePath(fromValue);
  if (isError(from)) return from;
  const chunk = document === undefined ? gone : valueAt(document, from);
  if (isError(chunk)) return chunk;
  const rest = move ? removed(document, from) : document;
  return isError(rest) ? rest : inserted(rest, path, chunk);
}

const patchType: Type = {
  kind: "object",
  fixed: [
    ["op", stringType],
    ["path", anyType],
  ],
  rest: { key: anyType, value: anyType },
};
const patches = declared(arrayOf(patchType), array);

export const jsonPatchBuiltin: Builtin = binary("json.patch", [any, patches], anyType, (document, operations) => {
  let current: Document = document;
  for (const operation of operations) {
    if (!(operation instanceof RegoObject)) {
      return failure("must be an array of JSON-Patch objects, but at least one element is not an object");
    }
    const next = applyPatch(current, operation);
    if (isError(next)) return next;
    current = next;
  }
  return current;
});
