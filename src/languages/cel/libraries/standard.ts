import { operators } from "../ast.ts";
import { type FunctionDeclaration, type Implementation, type Library, signature } from "../declarations.ts";
import { standardMacros } from "../standard-macros.ts";
import {
  boolType,
  bytesType,
  type CelType,
  doubleType,
  durationType,
  dynType,
  intType,
  listOf,
  mapOf,
  nullType,
  stringType,
  timestampType,
  typeOfType,
  typeParam,
  typeType,
  uintType,
} from "../types.ts";
import { toBool, toBytes, toDouble, toDuration, toInt, toText, toTimestamp, toUint } from "../values/convert.ts";
import { typeOf } from "../values/type-of.ts";
import { type CelValue, noSuchOverload, TypeValue, type Value } from "../values/value.ts";
import { comparisonFunctions } from "./standard-comparisons.ts";
import { arithmeticFunctions, contains, sizeOfValue } from "./standard-operators.ts";
import { stringFunctions } from "./standard-strings.ts";
import { timeFunctions } from "./standard-time.ts";

const a = typeParam("A");
const b = typeParam("B");
const listOfA = listOf(a);
const mapOfAB = mapOf(a, b);

/** Computed by the compiler; never called. */
const compiled: Implementation = { arity: "variadic", call: () => noSuchOverload() };

const logic: readonly FunctionDeclaration[] = [
  {
    name: operators.conditional,
    overloads: [signature("conditional", [boolType, a, a], a)],
    implementation: compiled,
  },
  { name: operators.and, overloads: [signature("logical_and", [boolType, boolType], boolType)], implementation: compiled },
  { name: operators.or, overloads: [signature("logical_or", [boolType, boolType], boolType)], implementation: compiled },
  { name: operators.not, overloads: [signature("logical_not", [boolType], boolType)], implementation: compiled },
  {
    name: operators.notStrictlyFalse,
    overloads: [signature("not_strictly_false", [boolType], boolType)],
    implementation: compiled,
  },
  { name: operators.equals, overloads: [signature("equals", [a, a], boolType)], implementation: compiled },
  { name: operators.notEquals, overloads: [signature("not_equals", [a, a], boolType)], implementation: compiled },
  {
    name: operators.index,
    overloads: [signature("index_list", [listOfA, intType], a), signature("index_map", [mapOfAB, a], b)],
    implementation: compiled,
  },
];

const collections: readonly FunctionDeclaration[] = [
  {
    name: operators.in,
    overloads: [signature("in_list", [a, listOfA], boolType), signature("in_map", [a, mapOfAB], boolType)],
    implementation: { arity: 2, call: contains },
  },
  {
    name: "size",
    overloads: [
      signature("size_bytes", [bytesType], intType),
      signature("bytes_size", [bytesType], intType, true),
      signature("size_list", [listOfA], intType),
      signature("list_size", [listOfA], intType, true),
      signature("size_map", [mapOfAB], intType),
      signature("map_size", [mapOfAB], intType, true),
      signature("size_string", [stringType], intType),
      signature("string_size", [stringType], intType, true),
    ],
    implementation: { arity: 1, call: sizeOfValue },
  },
];

const conversionNames = new Map<CelType, string>([
  [intType, "int64"],
  [uintType, "uint64"],
  [doubleType, "double"],
  [boolType, "bool"],
  [bytesType, "bytes"],
  [stringType, "string"],
  [durationType, "duration"],
  [timestampType, "timestamp"],
]);

/** A conversion function; each overload only takes its own type, so that `dyn` arguments are checked. */
function conversion(
  name: string,
  to: CelType,
  from: readonly CelType[],
  convert: (value: CelValue) => Value,
): FunctionDeclaration {
  const idOf = (type: CelType) => conversionNames.get(type) ?? type.name;
  return {
    name,
    overloads: from.map((type) => ({
      ...signature(`${idOf(type)}_to_${idOf(to)}`, [type], to),
      implementation: { arity: 1, call: convert },
    })),
  };
}

const conversions: readonly FunctionDeclaration[] = [
  {
    name: "type",
    overloads: [signature("type", [a], typeOfType(a))],
    implementation: { arity: 1, call: (value) => new TypeValue(typeOf(value)) },
  },
  { name: "dyn", overloads: [signature("to_dyn", [a], dynType)], implementation: { arity: 1, call: (value) => value } },
  conversion("bool", boolType, [boolType, stringType], toBool),
  conversion("bytes", bytesType, [bytesType, stringType], toBytes),
  conversion("double", doubleType, [doubleType, intType, stringType, uintType], toDouble),
  conversion("duration", durationType, [durationType, stringType], toDuration),
  conversion("int", intType, [intType, doubleType, durationType, stringType, timestampType, uintType], toInt),
  conversion(
    "string",
    stringType,
    [stringType, boolType, bytesType, doubleType, durationType, intType, timestampType, uintType],
    toText,
  ),
  conversion("timestamp", timestampType, [timestampType, intType, stringType], toTimestamp),
  conversion("uint", uintType, [uintType, doubleType, intType, stringType], toUint),
];

/** `duration(5)`, in nanoseconds, which later releases of cel-go do not have. */
export const durationOfIntLibrary: Library = {
  name: "cel.lib.std.duration-of-int",
  functions: [conversion("duration", durationType, [intType], toDuration)],
};

const typeNames = [
  boolType,
  bytesType,
  doubleType,
  durationType,
  intType,
  listOf(dynType),
  mapOf(dynType, dynType),
  nullType,
  stringType,
  timestampType,
  typeType,
  uintType,
].map((type) => ({ name: type.name, type: typeOfType(type), value: new TypeValue(type) }));

/** The functions, operators, macros and type names that every CEL environment has. */
export const standardLibrary: Library = {
  name: "cel.lib.std",
  macros: standardMacros,
  variables: typeNames,
  functions: [
    ...logic,
    ...arithmeticFunctions,
    ...comparisonFunctions,
    ...collections,
    ...conversions,
    ...stringFunctions,
    ...timeFunctions,
  ],
};
