import { operators } from "../ast.ts";
import { type FunctionDeclaration, type Overload, signature } from "../declarations.ts";
import {
  bytesType,
  type CelType,
  doubleType,
  durationType,
  intType,
  listOf,
  stringType,
  timestampType,
  typeParam,
  uintType,
} from "../types.ts";
import { elementAt, mapFind, mapSize } from "../values/containers.ts";
import { equalValues } from "../values/equality.ts";
import {
  addInts,
  divideInts,
  doubleValue,
  isDouble,
  isInt,
  makeDouble,
  makeUint,
  moduloInts,
  multiplyInts,
  negateInt,
  subtractInts,
} from "../values/numbers.ts";
import { codePointCount } from "../values/text.ts";
import { makeDuration, makeTimestamp } from "../values/time.ts";
import { refused } from "../values/traits.ts";
import {
  Bytes,
  CelError,
  CelList,
  type CelValue,
  Duration,
  Failure,
  isList,
  isMap,
  noSuchOverload,
  Timestamp,
  Uint,
  type Value,
} from "../values/value.ts";

const listOfA = listOf(typeParam("A"));

type Binary = (a: CelValue, b: CelValue) => Value;

interface NumberRules {
  readonly int?: (a: number | bigint, b: number | bigint) => Value;
  readonly uint?: (a: bigint, b: bigint) => Value;
  readonly double?: (a: number, b: number) => number;
}

/** Both operands of the same numeric type; undefined for anything else. */
function onNumbers(rules: NumberRules, a: CelValue, b: CelValue): Value | undefined {
  if (isInt(a)) return isInt(b) ? rules.int?.(a, b) : undefined;
  if (isDouble(a)) {
    return isDouble(b) && rules.double !== undefined ? makeDouble(rules.double(doubleValue(a), doubleValue(b))) : undefined;
  }
  return a instanceof Uint && b instanceof Uint ? rules.uint?.(a.value, b.value) : undefined;
}

export const addValues: Binary = (a, b) => {
  const sum = onNumbers({ int: addInts, uint: (x, y) => makeUint(x + y), double: (x, y) => x + y }, a, b);
  if (sum !== undefined) return sum;
  if (typeof a === "string" && typeof b === "string") return a + b;
  if (isList(a) && isList(b)) return concatenate(a, b);
  if (a instanceof Bytes && b instanceof Bytes) return new Bytes(Uint8Array.from([...a.data, ...b.data]));
  if (a instanceof Duration) {
    if (b instanceof Duration) return makeDuration(a.ns + b.ns);
    if (b instanceof Timestamp) return makeTimestamp(b.ns + a.ns, b.offset);
  }
  if (a instanceof Timestamp && b instanceof Duration) return makeTimestamp(a.ns + b.ns, a.offset);
  return refused(operators.add, "add", a);
};

function concatenate(a: CelList | readonly CelValue[], b: CelList | readonly CelValue[]): Value {
  if (a instanceof CelList) return a.concat(b);
  if (!(b instanceof CelList)) return [...a, ...b];
  const joined = [...a];
  for (let i = 0; i < b.length; i++) {
    const element = b.at(i);
    if (element instanceof Failure) return element;
    joined.push(element);
  }
  return joined;
}

const subtract: Binary = (a, b) => {
  const difference = onNumbers({ int: subtractInts, uint: (x, y) => makeUint(x - y), double: (x, y) => x - y }, a, b);
  if (difference !== undefined) return difference;
  if (a instanceof Duration && b instanceof Duration) return makeDuration(a.ns - b.ns);
  if (a instanceof Timestamp && b instanceof Timestamp) return makeDuration(a.ns - b.ns);
  if (a instanceof Timestamp && b instanceof Duration) return makeTimestamp(a.ns - b.ns, a.offset);
  return refused(operators.subtract, "subtract", a);
};

const multiply: Binary = (a, b) =>
  onNumbers({ int: multiplyInts, uint: (x, y) => makeUint(x * y), double: (x, y) => x * y }, a, b) ??
  refused(operators.multiply, "multiply", a);

const divide: Binary = (a, b) => {
  const uint = (x: bigint, y: bigint) => (y === 0n ? new CelError("division by zero") : makeUint(x / y));
  return onNumbers({ int: divideInts, uint, double: (x, y) => x / y }, a, b) ?? refused(operators.divide, "multiply", a);
};

const modulo: Binary = (a, b) => {
  const uint = (x: bigint, y: bigint) => (y === 0n ? new CelError("modulus by zero") : makeUint(x % y));
  return onNumbers({ int: moduloInts, uint }, a, b) ?? refused(operators.modulo, "modulo", a);
};

function negate(value: CelValue): Value {
  if (isInt(value)) return negateInt(value);
  if (isDouble(value)) return makeDouble(-doubleValue(value));
  return value instanceof Duration ? makeDuration(-value.ns) : refused(operators.negate, "negate", value);
}

function same(id: string, ...types: readonly CelType[]): readonly Overload[] {
  const names = new Map<CelType, string>([
    [intType, "int64"],
    [uintType, "uint64"],
  ]);
  return types.map((type) => signature(`${id}_${names.get(type) ?? type.kind}`, [type, type], type));
}

export const arithmeticFunctions: readonly FunctionDeclaration[] = [
  {
    name: operators.add,
    overloads: [
      ...same("add", bytesType, doubleType),
      signature("add_duration_duration", [durationType, durationType], durationType),
      signature("add_duration_timestamp", [durationType, timestampType], timestampType),
      signature("add_timestamp_duration", [timestampType, durationType], timestampType),
      ...same("add", intType),
      signature("add_list", [listOfA, listOfA], listOfA),
      ...same("add", stringType, uintType),
    ],
    implementation: { arity: 2, call: addValues },
  },
  {
    name: operators.divide,
    overloads: same("divide", doubleType, intType, uintType),
    implementation: { arity: 2, call: divide },
  },
  { name: operators.modulo, overloads: same("modulo", intType, uintType), implementation: { arity: 2, call: modulo } },
  {
    name: operators.multiply,
    overloads: same("multiply", doubleType, intType, uintType),
    implementation: { arity: 2, call: multiply },
  },
  {
    name: operators.negate,
    overloads: [signature("negate_double", [doubleType], doubleType), signature("negate_int64", [intType], intType)],
    implementation: { arity: 1, call: negate },
  },
  {
    name: operators.subtract,
    overloads: [
      ...same("subtract", doubleType),
      signature("subtract_duration_duration", [durationType, durationType], durationType),
      ...same("subtract", intType),
      signature("subtract_timestamp_duration", [timestampType, durationType], timestampType),
      signature("subtract_timestamp_timestamp", [timestampType, timestampType], durationType),
      ...same("subtract", uintType),
    ],
    implementation: { arity: 2, call: subtract },
  },
];

/** `item in list` and `key in map`. */
export function contains(item: CelValue, container: CelValue): Value {
  if (isList(container)) {
    const known = container instanceof CelList ? container.contains(item) : undefined;
    return known ?? listContains(container, item);
  }
  if (!isMap(container)) return noSuchOverload();
  const found = mapFind(container, item);
  return found instanceof Failure ? found : found !== undefined;
}

/** An element that cannot be compared with the item is not the item. */
export function listContains(list: CelList | readonly CelValue[], item: CelValue): boolean {
  for (let i = 0; i < list.length; i++) {
    const element = elementAt(list, i);
    if (!(element instanceof Failure) && equalValues(item, element) === true) return true;
  }
  return false;
}

export function sizeOfValue(value: CelValue): Value {
  if (typeof value === "string") return codePointCount(value);
  if (isList(value)) return value.length;
  if (isMap(value)) return mapSize(value);
  return value instanceof Bytes ? value.size : refused("size", "size", value);
}
