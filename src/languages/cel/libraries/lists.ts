import { type FunctionDeclaration, type Library, memberOverload, overload } from "../declarations.ts";
import { type Macro, MacroError } from "../macro.ts";
import { standardMacros } from "../standard-macros.ts";
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
} from "../types.ts";
import { elementAt } from "../values/containers.ts";
import { equalValues } from "../values/equality.ts";
import { isInt } from "../values/numbers.ts";
import { compareValues, isComparable } from "../values/order.ts";
import { typeOf } from "../values/type-of.ts";
import {
  CelError,
  type CelList,
  type CelValue,
  Duration,
  Failure,
  type Int,
  isList,
  noSuchOverload,
  Timestamp,
  type Value,
} from "../values/value.ts";
import { allocatingCost, allocatingEstimate, literalInt, selfComparingCost, selfComparingEstimate } from "./lists-cost.ts";

type List = CelList | readonly CelValue[];

const int: CelTypeOf<Int> = intType;
const listOfT: CelTypeOf<List> = listOf(typeParam("T"));
const listOfDyn: CelTypeOf<List> = listOf(dynType);

/** The elements as an array; a failure where one has no sound value. */
function elements(list: List): readonly CelValue[] | Failure {
  if (Array.isArray(list)) return list;
  const items: CelValue[] = [];
  for (let i = 0; i < list.length; i++) {
    const element = elementAt(list, i);
    if (element instanceof Failure) return element;
    items.push(element);
  }
  return items;
}

function onElements(compute: (items: readonly CelValue[]) => Value): (list: List) => Value {
  return (list) => {
    const items = elements(list);
    return items instanceof Failure ? items : compute(items);
  };
}

function slice(list: List, start: Int, end: Int): Value {
  const call = `cannot slice(${start}, ${end})`;
  if (start < 0 || end < 0) return new CelError(`${call}, negative indexes not supported`);
  if (start > end) return new CelError(`${call}, start index must be less than or equal to end index`);
  if (list.length < end) return new CelError(`${call}, list is length ${list.length}`);
  return onElements((items) => items.slice(Number(start), Number(end)))(list);
}

/** Arguments are not checked before: an element that is no list stays one element. */
function flatten(list: CelValue, depth: CelValue): Value {
  if (!isList(list)) return noSuchOverload(`${typeOf(list).name}.flatten()`);
  if (!isInt(depth)) return noSuchOverload(`list.flatten(${typeOf(depth).name})`);
  if (depth < 0) return new CelError("level must be non-negative");
  return onElements((items) => flat(items, Number(depth)))(list);
}

function flat(items: readonly CelValue[], depth: number): Value {
  const result: CelValue[] = [];
  for (const item of items) {
    const nested = isList(item) && depth > 0 ? elements(item) : undefined;
    if (nested === undefined) {
      result.push(item);
      continue;
    }
    const inner = nested instanceof Failure ? nested : flat(nested, depth - 1);
    if (inner instanceof Failure) return inner;
    if (Array.isArray(inner)) result.push(...inner);
  }
  return result;
}

/** Longer ranges are refused: nothing bounds them before they are made. */
const maxRange = 1_000_000;

function range(size: Int, checked: boolean): Value {
  if (size < 0 && checked) return new CelError(`lists.range: size must be non-negative, got ${size}`);
  if (size > maxRange) return new CelError(`lists.range: size ${size} exceeds maximum allowed (${maxRange})`);
  return Array.from({ length: Math.max(0, Number(size)) }, (_, i) => i);
}

function distinct(items: readonly CelValue[]): Value {
  const result: CelValue[] = [];
  for (const item of items) {
    if (!result.some((known) => equalValues(item, known) === true)) result.push(item);
  }
  return result;
}

function sortBy(list: List, keys: List): Value {
  const items = elements(list);
  const by = elements(keys);
  if (items instanceof Failure) return items;
  if (by instanceof Failure) return by;
  if (items.length !== by.length) {
    return new CelError(
      `@sortByAssociatedKeys() expected a list of the same size as the associated keys list, but got ${items.length} and ${by.length} elements respectively`,
    );
  }
  const [first] = by;
  if (first === undefined) return items;
  if (!isComparable(first)) return new CelError("list elements must be comparable");
  if (by.length > 1 && by.some((key) => typeOf(key) !== typeOf(first)))
    return new CelError("list elements must have the same type");
  const order = by.map((key, i) => ({ key, item: items[i] ?? null }));
  order.sort((a, b) => {
    const compared = compareValues(a.key, b.key);
    return compared instanceof CelError ? 0 : compared;
  });
  return order.map(({ item }) => item);
}

const sortable: readonly CelType[] = [
  intType,
  uintType,
  doubleType,
  boolType,
  durationType,
  timestampType,
  stringType,
  bytesType,
];

/** As cel-go: values that have functions of their own are only said not to have this one. */
function refusedAsList(name: string, value: CelValue): CelError {
  return typeof value === "string" || value instanceof Timestamp || value instanceof Duration
    ? noSuchOverload()
    : noSuchOverload(name);
}

const sortFunctions: readonly FunctionDeclaration[] = [
  {
    name: "sort",
    implementation: { arity: 1, call: (items) => (isList(items) ? sortBy(items, items) : refusedAsList("sort", items)) },
    overloads: sortable.map((type) => {
      const list: CelTypeOf<List> = listOf(type);
      return memberOverload(`list_${type.name}_sort`, [list], list, (items) => sortBy(items, items), {
        cost: ([items]) => selfComparingCost(items),
        estimate: (context, target, args) =>
          target !== undefined && args.length === 0 ? selfComparingEstimate(context.sizeOf(target), type) : undefined,
      });
    }),
  },
  {
    name: "@sortByAssociatedKeys",
    implementation: {
      arity: 2,
      call: (items, keys) => {
        if (!isList(items)) return refusedAsList("@sortByAssociatedKeys", items);
        return isList(keys) ? sortBy(items, keys) : noSuchOverload();
      },
    },
    overloads: sortable.map((type) => {
      const keys: CelTypeOf<List> = listOf(type);
      return memberOverload(`list_${type.name}_sortByAssociatedKeys`, [listOfT, keys], listOfT, sortBy, {
        cost: ([, by]) => selfComparingCost(by),
        estimate: (context, _target, [by]) => (by === undefined ? undefined : selfComparingEstimate(context.sizeOf(by), type)),
      });
    }),
  },
];

const mapMacro = standardMacros.find((macro) => macro.name === "map" && macro.argCount === 2);

/** `list.sortBy(x, key)`: the list is bound once, its keys are a `map` over it. */
const sortByMacro: Macro = {
  name: "sortBy",
  receiver: true,
  argCount: 2,
  expand(build, target, args) {
    if (!["list", "select", "ident", "fold", "call"].includes(target.kind)) {
      return new MacroError(target, "sortBy can only be applied to a list, identifier, comprehension, call or select expression");
    }
    const name = "@__sortBy_input__";
    const keys = mapMacro?.expand(build, build.ident(name), args);
    if (keys === undefined || keys instanceof MacroError) return keys;
    return build.bind(name, target, build.memberCall("@sortByAssociatedKeys", build.ident(name), keys));
  },
};

const outputSize = (_: readonly Value[], result: Value) => allocatingCost(1, isList(result) ? result.length : 1);

/** @param checked whether negative sizes are refused (cel-go 0.27 and later) rather than taken for 0 */
function rangeFunction(checked: boolean): FunctionDeclaration {
  return {
    name: "lists.range",
    overloads: [
      overload("lists_range", [int], listOf(intType), (size) => range(size, checked), {
        cost: outputSize,
        estimate: (_context, target, [size]) =>
          target === undefined && size !== undefined ? allocatingEstimate(1, literalInt(size)) : undefined,
      }),
    ],
  };
}

const version2: readonly FunctionDeclaration[] = [
  {
    name: "reverse",
    overloads: [
      memberOverload(
        "list_reverse",
        [listOfT],
        listOfT,
        onElements((items) => items.toReversed()),
        {
          cost: outputSize,
          estimate: (context, target) => (target === undefined ? undefined : allocatingEstimate(1, context.sizeOf(target))),
        },
      ),
    ],
  },
  {
    name: "distinct",
    overloads: [
      memberOverload("list_distinct", [listOfT], listOfT, onElements(distinct), {
        cost: ([items]) => selfComparingCost(items),
        estimate: (context, target) =>
          target === undefined ? undefined : selfComparingEstimate(context.sizeOf(target), dynType),
      }),
    ],
  },
];

const flattenFunction: FunctionDeclaration = {
  name: "flatten",
  unguarded: true,
  overloads: [
    memberOverload("list_flatten", [listOf(listOfT) as CelTypeOf<List>], listOfT, (list) => flatten(list, 1), {
      cost: ([items]) => allocatingCost(1, sizeOfList(items)),
      estimate: (context, target) => (target === undefined ? undefined : allocatingEstimate(1, context.sizeOf(target))),
    }),
    memberOverload("list_flatten_int", [listOfDyn, int], listOfDyn, flatten, {
      cost: ([items, depth]) => allocatingCost(Number(depth), sizeOfList(items)),
      estimate: (context, target, [depth]) => {
        if (target === undefined || depth === undefined) return undefined;
        return allocatingEstimate(Number(literalInt(depth).max), context.sizeOf(target));
      },
    }),
  ],
};

function sizeOfList(value: Value | undefined): number {
  return value !== undefined && isList(value) ? value.length : 1;
}

const sliceFunction: FunctionDeclaration = {
  name: "slice",
  overloads: [
    memberOverload("list_slice", [listOfT, int, int], listOfT, slice, {
      cost: outputSize,
      estimate: (context, target, [start, end]) => {
        if (target === undefined || start === undefined || end === undefined) return undefined;
        const from = literalInt(start, 0n).max;
        const to = literalInt(end, context.sizeOf(target).max).max;
        // Unsigned, as in cel-go: a range that runs backwards is estimated as endless.
        const size = BigInt.asUintN(64, to - from);
        return allocatingEstimate(1, { min: size, max: size });
      },
    }),
  ],
};

/** cel-go's list extensions: 1 adds `flatten`, 2 `sort`, `sortBy`, `range`, `reverse` and `distinct`; 3 costs by size. */
export function listsLibrary(version: number, checkedRange = true): Library {
  const functions = [
    sliceFunction,
    ...(version >= 1 ? [flattenFunction] : []),
    ...(version >= 2 ? [...sortFunctions, rangeFunction(checkedRange), ...version2] : []),
  ];
  return {
    name: "cel.lib.ext.lists",
    macros: version >= 2 ? [sortByMacro] : [],
    functions: version >= 3 ? functions : functions.map(withoutCosts),
  };
}

function withoutCosts(declaration: FunctionDeclaration): FunctionDeclaration {
  const overloads = declaration.overloads.map(({ cost: _cost, estimate: _estimate, ...rest }) => rest);
  return { ...declaration, overloads };
}
