import { type Expr, operators } from "../ast.ts";
import { type FunctionDeclaration, type Library, memberOverload, overload, signature } from "../declarations.ts";
import { type Macro, type MacroBuilder, MacroError, variableName } from "../macro.ts";
import {
  boolType,
  type CelType,
  type CelTypeOf,
  dynType,
  intType,
  listOf,
  mapOf,
  optionalOf,
  optionalType,
  stringType,
  typeOfType,
  typeParam,
} from "../types.ts";
import { elementAt, mapSize } from "../values/containers.ts";
import { isNumeric } from "../values/equality.ts";
import { displayValue } from "../values/format.ts";
import {
  Boxed,
  CelError,
  type CelList,
  type CelValue,
  Failure,
  isList,
  isPlainObject,
  noSuchOverload,
  Optional,
  TypeValue,
  type Value,
} from "../values/value.ts";

const k = typeParam("K");
const v = typeParam("V");
const anyValue: CelTypeOf<CelValue> = v;
const optional: CelTypeOf<Optional> = optionalOf(v);
const list: CelTypeOf<CelList | readonly CelValue[]> = listOf(v);
const map = mapOf(k, v);

/** Whether a value is the empty one of its type. */
function isZeroValue(value: CelValue): boolean {
  if (value === null || value === false || value === "") return true;
  if (value instanceof Boxed) return value.isZero;
  if (isNumeric(value)) return Number(value) === 0;
  if (isList(value)) return value.length === 0;
  return isPlainObject(value) && mapSize(value) === 0;
}

function wrap(value: Value): Value {
  return value instanceof Failure ? value : new Optional(value);
}

function unwrapAll(values: CelList | readonly CelValue[]): Value {
  const result: CelValue[] = [];
  for (let i = 0; i < values.length; i++) {
    const element = elementAt(values, i);
    if (!(element instanceof Optional)) return new CelError(`value ${displayValue(element)} is not optional`);
    if (element.value !== undefined) result.push(element.value);
  }
  return result;
}

/** `target.name(x, expr)`: `expr` of the value, where there is one. */
function mapMacro(name: string, wrapResult: (build: MacroBuilder, result: Expr) => Expr): Macro {
  return {
    name,
    receiver: true,
    argCount: 2,
    expand(build, target, [variable, result]) {
      if (variable === undefined || result === undefined) return undefined;
      const bound = variableName(variable);
      if (bound === undefined) return new MacroError(variable, `${name}() variable name must be a simple identifier`);
      const value = build.memberCall("value", build.copy(target));
      return build.call(
        operators.conditional,
        build.memberCall("hasValue", target),
        wrapResult(build, build.bind(bound, value, result)),
        build.call("optional.none"),
      );
    },
  };
}

/** Computed by the compiler. */
const compiled = { arity: "variadic", call: () => noSuchOverload() } as const;

const basic: readonly FunctionDeclaration[] = [
  { name: "optional.of", overloads: [overload("optional_of", [anyValue], optional, wrap)] },
  {
    name: "optional.ofNonZeroValue",
    overloads: [
      overload("optional_ofNonZeroValue", [anyValue], optional, (value) => (isZeroValue(value) ? Optional.none : wrap(value))),
    ],
  },
  { name: "optional.none", overloads: [overload("optional_none", [], optional, () => Optional.none)] },
  {
    name: "value",
    overloads: [memberOverload("optional_value", [optional], v, contentOf)],
  },
  {
    name: "hasValue",
    overloads: [memberOverload("optional_hasValue", [optional], boolType, (value) => value.value !== undefined)],
  },
  { name: "or", overloads: [signature("optional_or_optional", [optional, optional], optional, true)], implementation: compiled },
  { name: "orValue", overloads: [signature("optional_orValue_value", [optional, v], v, true)], implementation: compiled },
  {
    name: operators.optionalSelect,
    overloads: [signature("select_optional_field", [dynType, stringType], optional)],
    implementation: compiled,
  },
  {
    name: operators.optionalIndex,
    overloads: [
      signature("list_optindex_optional_int", [list, intType], optional),
      signature("optional_list_optindex_optional_int", [optionalOf(list), intType], optional),
      signature("map_optindex_optional_value", [map, k], optional),
      signature("optional_map_optindex_optional_value", [optionalOf(map), k], optional),
    ],
    implementation: compiled,
  },
  {
    name: operators.index,
    overloads: [
      signature("optional_list_index_int", [optionalOf(list), intType], optional),
      signature("optional_map_index_value", [optionalOf(map), k], optional),
    ],
  },
];

/** A null inside an optional is a value too. */
function contentOf(value: Optional): Value {
  return value.value === undefined ? new CelError("optional.none() dereference") : value.value;
}

const optionals: CelTypeOf<CelList | readonly CelValue[]> = listOf(optional as CelType);

const version2: readonly FunctionDeclaration[] = [
  {
    name: "last",
    overloads: [
      memberOverload("list_last", [list], optional, (items) =>
        items.length === 0 ? Optional.none : wrap(elementAt(items, items.length - 1)),
      ),
    ],
  },
  {
    name: "first",
    overloads: [
      memberOverload("list_first", [list], optional, (items) => (items.length === 0 ? Optional.none : wrap(elementAt(items, 0)))),
    ],
  },
  { name: "optional.unwrap", overloads: [overload("optional_unwrap", [optionals], list, unwrapAll)] },
  { name: "unwrapOpt", overloads: [memberOverload("optional_unwrapOpt", [optionals], list, unwrapAll)] },
];

/** Optional values: 1 adds `optFlatMap`, 2 `first`, `last`, `unwrap`. */
export function optionalLibrary(version: number): Library {
  return {
    name: "cel.lib.optional",
    optionalSyntax: true,
    variables: [{ name: "optional_type", type: typeOfType(optionalType), value: new TypeValue(optionalType) }],
    macros: [
      mapMacro("optMap", (build, result) => build.call("optional.of", result)),
      ...(version >= 1 ? [mapMacro("optFlatMap", (_, result) => result)] : []),
    ],
    functions: [...basic, ...(version >= 2 ? version2 : [])],
  };
}
