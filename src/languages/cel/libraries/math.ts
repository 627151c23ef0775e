import type { Expr } from "../ast.ts";
import { type FunctionDeclaration, type Library, type Overload, overload } from "../declarations.ts";
import { isNamespace, type Macro, type MacroBuilder, MacroError } from "../macro.ts";
import { boolType, type CelType, type CelTypeOf, doubleType, dynType, intType, listOf, uintType } from "../types.ts";
import { elementAt } from "../values/containers.ts";
import { isNumeric } from "../values/equality.ts";
import { doubleValue, makeDouble, makeInt, makeUint, maxUint, minInt } from "../values/numbers.ts";
import { compareValues } from "../values/order.ts";
import {
  CelError,
  type CelList,
  type CelValue,
  type Double,
  Failure,
  type Int,
  noSuchOverload,
  type Uint,
  type Value,
} from "../values/value.ts";

const int: CelTypeOf<Int> = intType;
const uint: CelTypeOf<Uint> = uintType;
const double: CelTypeOf<number | Double> = doubleType;

type Pick = (a: CelValue, b: CelValue) => Value;

/** The second where it is on the wanted side of the first. */
function picker(name: string, wanted: -1 | 1): Pick {
  return (a, b) => {
    const order = compareValues(a, b);
    if (order instanceof CelError) return order.message === "no such overload" ? noSuchOverload(name) : order;
    return order === wanted ? b : a;
  };
}

function pickFromList(name: string, pick: Pick): (list: CelList | readonly CelValue[]) => Value {
  return (list) => {
    if (list.length === 0) return new CelError(`${name}(list) argument must not be empty`);
    let best = elementAt(list, 0);
    for (let i = 1; i < list.length; i++) {
      const element = elementAt(list, i);
      if (best instanceof Failure) return best;
      if (element instanceof Failure) return element;
      best = pick(best, element);
    }
    return best instanceof Failure || isNumeric(best) ? best : noSuchOverload(name);
  };
}

const numbers = [double, int, uint] as const;

/** `math.@min` and `math.@max`: of one number, two, or a list. */
function extreme(name: string, wanted: -1 | 1): FunctionDeclaration {
  const pick = picker(name, wanted);
  const prefix = name.replace(".", "_");
  const one = numbers.map((type) => overload(`${prefix}_${type.kind}`, [type as CelTypeOf<CelValue>], type, (value) => value));
  const pairs = numbers.flatMap((a) =>
    numbers.map((b) =>
      overload(`${prefix}_${a.kind}_${b.kind}`, [a as CelType, b as CelType], a === b ? a : dynType, pick as never),
    ),
  );
  const lists = numbers.map((type) => {
    const list: CelTypeOf<CelList | readonly CelValue[]> = listOf(type);
    return overload(`${prefix}_list_${type.kind}`, [list], type, pickFromList(name, pick));
  });
  return { name, overloads: [...one, ...pairs, ...lists] };
}

function isNumericArg(arg: Expr): boolean {
  if (arg.kind === "literal") return ["int", "uint", "double"].includes(arg.type.kind);
  return arg.kind !== "list" && arg.kind !== "map" && arg.kind !== "struct";
}

/** `math.least(...)` and `math.greatest(...)` take any number of numbers, or one list of them. */
function extremeMacro(name: string, target: string): Macro {
  const expand = (build: MacroBuilder, namespace: Expr, args: readonly Expr[]) => {
    if (!isNamespace(namespace, "math")) return undefined;
    const [first] = args;
    if (first === undefined) return new MacroError(namespace, `math.${name}() requires at least one argument`);
    if (args.length === 1) {
      const list = first.kind === "list" && first.elements.length > 0 && first.elements.every(isNumericArg);
      return list || isNumericArg(first)
        ? build.call(target, first)
        : new MacroError(first, `math.${name}() invalid single argument value`);
    }
    const odd = args.find((arg) => !isNumericArg(arg));
    if (odd !== undefined) return new MacroError(odd, `math.${name}() simple literal arguments must be numeric`);
    return build.call(target, ...(args.length === 2 ? args : [build.list(...args)]));
  };
  return { name, receiver: true, argCount: "any", expand };
}

/** Half away from zero, as Go's math.Round. */
function round(value: number): number {
  if (!Number.isFinite(value) || Math.abs(value) >= 2 ** 52) return value;
  const whole = Math.trunc(value);
  return Math.abs(value - whole) >= 0.5 ? whole + Math.sign(value) : whole;
}

function onDouble(name: string, compute: (value: number) => number): FunctionDeclaration {
  const id = `math_${name}_double`;
  return { name: `math.${name}`, overloads: [overload(id, [double], doubleType, (v) => makeDouble(compute(doubleValue(v))))] };
}

function testDouble(name: string, test: (value: number) => boolean): FunctionDeclaration {
  return {
    name: `math.${name}`,
    overloads: [overload(`math_${name}_double`, [double], boolType, (v) => test(doubleValue(v)))],
  };
}

function absolute(value: Int): Value {
  if (value === minInt) return new CelError("integer overflow");
  return value < 0 ? makeInt(-BigInt(value)) : value;
}

function sign(value: number): number {
  return Number.isNaN(value) ? value : value > 0 ? 1 : value < 0 ? -1 : 0;
}

const rounding: readonly FunctionDeclaration[] = [
  onDouble("ceil", Math.ceil),
  onDouble("floor", Math.floor),
  onDouble("round", round),
  onDouble("trunc", Math.trunc),
  testDouble("isInf", (value) => value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY),
  testDouble("isNaN", Number.isNaN),
  testDouble("isFinite", Number.isFinite),
  {
    name: "math.abs",
    overloads: [
      overload("math_abs_double", [double], doubleType, (value) => makeDouble(Math.abs(doubleValue(value)))),
      overload("math_abs_int", [int], intType, absolute),
      overload("math_abs_uint", [uint], uintType, (value) => value),
    ],
  },
  {
    name: "math.sign",
    overloads: [
      overload("math_sign_double", [double], doubleType, (value) => makeDouble(sign(doubleValue(value)))),
      overload("math_sign_int", [int], intType, (value) => sign(Number(value))),
      overload("math_sign_uint", [uint], uintType, (value) => makeUint(value.value === 0n ? 0n : 1n)),
    ],
  },
];

type BitOperation = (a: bigint, b: bigint) => bigint;

function bitPair(name: string, compute: BitOperation): FunctionDeclaration {
  return {
    name: `math.${name}`,
    overloads: [
      overload(`math_${name}_int_int`, [int, int], intType, (a, b) => makeInt(compute(BigInt(a), BigInt(b)))),
      overload(`math_${name}_uint_uint`, [uint, uint], uintType, (a, b) => makeUint(compute(a.value, b.value))),
    ],
  };
}

/** Shifts by 64 and more shift everything out, as in Go. */
function shift(name: string, compute: BitOperation): FunctionDeclaration {
  const guard = (bits: Int, shifted: (by: bigint) => Value): Value => {
    if (bits < 0) return new CelError(`math.${name}() negative offset: ${bits}`);
    return shifted(BigInt(bits) > 64n ? 64n : BigInt(bits));
  };
  return {
    name: `math.${name}`,
    overloads: [
      overload(`math_${name}_int_int`, [int, int], intType, (value, bits) =>
        guard(bits, (by) => makeInt(BigInt.asIntN(64, compute(BigInt.asUintN(64, BigInt(value)), by)))),
      ),
      overload(`math_${name}_uint_int`, [uint, int], uintType, (value, bits) =>
        guard(bits, (by) => makeUint(BigInt.asUintN(64, compute(value.value, by)))),
      ),
    ],
  };
}

const bits: readonly FunctionDeclaration[] = [
  bitPair("bitAnd", (a, b) => a & b),
  bitPair("bitOr", (a, b) => a | b),
  bitPair("bitXor", (a, b) => a ^ b),
  {
    name: "math.bitNot",
    overloads: [
      overload("math_bitNot_int_int", [int], intType, (value) => makeInt(~BigInt(value))),
      overload("math_bitNot_uint_uint", [uint], uintType, (value) => makeUint(value.value ^ maxUint)),
    ],
  },
  shift("bitShiftLeft", (value, by) => value << by),
  shift("bitShiftRight", (value, by) => value >> by),
];

const root: readonly Overload[] = [
  overload("math_sqrt_double", [double], doubleType, (value) => makeDouble(Math.sqrt(doubleValue(value)))),
  overload("math_sqrt_int", [int], doubleType, (value) => makeDouble(Math.sqrt(Number(value)))),
  overload("math_sqrt_uint", [uint], doubleType, (value) => makeDouble(Math.sqrt(Number(value.value)))),
];

/** cel-go's mathematical extensions: `least` and `greatest`; 1 adds rounding, signs and bits, 2 the square root. */
export function mathLibrary(version: number): Library {
  return {
    name: "cel.lib.ext.math",
    macros: [extremeMacro("least", "math.@min"), extremeMacro("greatest", "math.@max")],
    functions: [
      extreme("math.@min", 1),
      extreme("math.@max", -1),
      ...(version >= 1 ? [...rounding, ...bits] : []),
      ...(version >= 2 ? [{ name: "math.sqrt", overloads: root }] : []),
    ],
  };
}
