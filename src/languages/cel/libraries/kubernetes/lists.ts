import { type FunctionDeclaration, type Library, memberOverload } from "../../declarations.ts";
import {
  boolType,
  bytesType,
  type CelType,
  type CelTypeOf,
  doubleType,
  durationType,
  dynType,
  intType,
  listOf,
  stringType,
  timestampType,
  typeParam,
  uintType,
} from "../../types.ts";
import { elementAt } from "../../values/containers.ts";
import { equalValues } from "../../values/equality.ts";
import { compareValues, isComparable } from "../../values/order.ts";
import {
  CelError,
  type CelList,
  type CelValue,
  Double,
  Duration,
  Failure,
  isList,
  noSuchOverload,
  Uint,
  type Value,
} from "../../values/value.ts";
import { addValues } from "../standard-operators.ts";

type List = CelList | readonly CelValue[];

const names = new Map<CelType, string>([
  [intType, "int"],
  [uintType, "uint"],
  [doubleType, "double"],
  [boolType, "bool"],
  [durationType, "duration"],
  [timestampType, "timestamp"],
  [stringType, "string"],
  [bytesType, "bytes"],
]);

const zeros = new Map<CelType, CelValue>([
  [intType, 0],
  [uintType, new Uint(0n)],
  [doubleType, new Double(0)],
  [durationType, new Duration(0n)],
]);

/** What cannot be compared is not out of order, as long as each element could be compared with something. */
function isSorted(list: List): Value {
  let previous: CelValue | undefined;
  for (let i = 0; i < list.length; i++) {
    const element = elementAt(list, i);
    if (element instanceof Failure) return element;
    if (!isComparable(element)) return noSuchOverload();
    if (previous !== undefined && compareValues(previous, element) === 1) return false;
    previous = element;
  }
  return true;
}

function sum(zero: CelValue, list: List): Value {
  let total: Value = zero;
  for (let i = 0; i < list.length; i++) {
    const element = elementAt(list, i);
    if (element instanceof Failure) return element;
    total = addValues(total, element);
    if (total instanceof Failure) return total;
  }
  return total;
}

/** The first element that no other one is on the wanted side of. */
function extreme(name: string, wanted: -1 | 1, list: List): Value {
  let best: CelValue | undefined;
  for (let i = 0; i < list.length; i++) {
    const element = elementAt(list, i);
    if (element instanceof Failure) return element;
    if (!isComparable(element)) return noSuchOverload();
    if (best === undefined || compareValues(best, element) === wanted) best = element;
  }
  return best ?? new CelError(`${name} called on empty list`);
}

function isAt(list: List, index: number, item: CelValue): boolean {
  const element = elementAt(list, index);
  return !(element instanceof Failure) && equalValues(element, item) === true;
}

function indexOf(list: List, item: CelValue): number {
  for (let i = 0; i < list.length; i++) if (isAt(list, i, item)) return i;
  return -1;
}

function lastIndexOf(list: List, item: CelValue): number {
  for (let i = list.length - 1; i >= 0; i--) if (isAt(list, i, item)) return i;
  return -1;
}

/** For each element type an overload of its own. */
function templated(
  name: string,
  types: Iterable<CelType>,
  idOf: (type: string) => string,
  resultOf: (type: CelType) => CelType,
  compute: (list: List, type: CelType) => Value,
): FunctionDeclaration {
  const overloads = Array.from(types, (type) => {
    const list: CelTypeOf<List> = listOf(type);
    return memberOverload(idOf(names.get(type) ?? ""), [list], resultOf(type), (items) => compute(items, type));
  });
  return { name, overloads };
}

const element = typeParam("A");
const anyElement: CelTypeOf<CelValue> = element;
const listOfAny: CelTypeOf<List> = listOf(element);
const dyn: CelTypeOf<CelValue> = dynType;
const same = (type: CelType) => type;

const basic: readonly FunctionDeclaration[] = [
  templated(
    "isSorted",
    names.keys(),
    (type) => `list_${type}_is_sorted_bool`,
    () => boolType,
    isSorted,
  ),
  templated(
    "sum",
    zeros.keys(),
    (type) => `list_${type}_sum_${type}`,
    same,
    (list, type) => sum(zeros.get(type) ?? 0, list),
  ),
  templated(
    "max",
    names.keys(),
    (type) => `list_${type}_max_${type}`,
    same,
    (list) => extreme("max", -1, list),
  ),
  templated(
    "min",
    names.keys(),
    (type) => `list_${type}_min_${type}`,
    same,
    (list) => extreme("min", 1, list),
  ),
  { name: "indexOf", overloads: [memberOverload("list_a_index_of_int", [listOfAny, anyElement], intType, indexOf)] },
  { name: "lastIndexOf", overloads: [memberOverload("list_a_last_index_of_int", [listOfAny, anyElement], intType, lastIndexOf)] },
];

/** Whether a list holds a value, or a value that may be a list or not is it. */
const includes: FunctionDeclaration = {
  name: "includes",
  overloads: [
    memberOverload("list_includes_dyn_dyn", [dyn, dyn], boolType, (target, item) =>
      isList(target) ? indexOf(target, item) >= 0 : equalValues(target, item) === true,
    ),
  ],
};

/** Kubernetes' list functions; version 1 (Kubernetes 1.37) adds `includes`. */
export function kubernetesListsLibrary(version: number): Library {
  return { name: "kubernetes.lists", functions: version >= 1 ? [...basic, includes] : basic };
}
