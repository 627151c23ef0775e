import { parseGoFloat } from "../../../core/go-format.ts";
import { quoteGo } from "../../../core/go-quote.ts";
import {
  anyOf,
  anyType,
  arrayOf,
  booleanType,
  nullType,
  numberType,
  objectOf,
  setOf,
  stringType,
  type Type,
} from "../types/type.ts";
import { isNumber, numberProblem, parseNumber } from "../values/number.ts";
import { kindOf } from "../values/print.ts";
import { RegoSet, type Value } from "../values/value.ts";
import type { Builtin, BuiltinResult } from "./builtin.ts";
import { any, failure, isArray, isSet, itemsOf, typeError, unary } from "./operand.ts";

function toNumber(value: Value): BuiltinResult {
  if (value === null || value === false) return 0;
  if (value === true) return 1;
  if (isNumber(value)) return value;
  if (typeof value !== "string") return typeError(1, value, "null", "boolean", "number", "string");
  if (/^[-+]*(?:inf|infinity|nan)$/i.test(value)) return typeError(1, value, "valid number string");
  const syntax = (problem: string) => failure(`strconv.ParseFloat: parsing ${quoteGo(value)}: ${problem}`);
  if (!/^[-+]?(?:\d[\d_.]*|\.\d|0[xX])/.test(value)) return syntax("invalid syntax");
  if (parseGoFloat(value) === undefined) {
    return /^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/.test(value) ? syntax("value out of range") : syntax("invalid syntax");
  }
  const text = asJsonNumber(value);
  const problem = numberProblem(text);
  return problem === undefined ? parseNumber(text) : failure(problem);
}

/** What Go reads as a number and JSON does not: signs, underscores, bases, points without digits. */
function asJsonNumber(text: string): string {
  const [, sign = "", rest = ""] = /^([-+]?)(.*)$/.exec(text) ?? [];
  const minus = sign === "-" ? "-" : "";
  if (/^0[xX]/.test(rest)) return minus + String(parseGoFloat(rest) ?? 0);
  const [, whole = "", fraction = "", exponent = ""] = /^(\d*)(?:\.(\d*))?([eE][-+]?\d+)?$/.exec(rest.replaceAll("_", "")) ?? [];
  const plain = whole.replace(/^0+(?=\d)/, "");
  return `${minus}${plain === "" ? "0" : plain}${fraction === "" ? "" : `.${fraction}`}${exponent}`;
}

type Kind = ReturnType<typeof kindOf>;

const typeOf: { readonly [kind in Kind]: Type } = {
  null: nullType,
  boolean: booleanType,
  number: numberType,
  string: stringType,
  array: arrayOf(anyType),
  object: objectOf(anyType, anyType),
  set: setOf(anyType),
};
const kinds: readonly Kind[] = ["number", "string", "boolean", "array", "set", "object", "null"];

const is = (kind: Kind): Builtin => unary(`is_${kind}`, any, booleanType, (value) => kindOf(value) === kind);

const cast = (kind: "string" | "boolean" | "null" | "object"): Builtin =>
  unary(`cast_${kind}`, any, typeOf[kind], (value) => (kindOf(value) === kind ? value : typeError(1, value, kind)), {
    deprecated: true,
  });

function castList(name: string, type: Type, build: (items: readonly Value[]) => Value): Builtin {
  return unary(
    name,
    any,
    type,
    (value) => (isArray(value) || isSet(value) ? build(itemsOf(value)) : typeError(1, value, "array", "set")),
    { deprecated: true },
  );
}

const numberLike = { ...any, type: anyOf(nullType, booleanType, numberType, stringType) };

export const castBuiltins: readonly Builtin[] = [
  unary("to_number", numberLike, numberType, toNumber),
  unary("type_name", any, stringType, kindOf),
  ...kinds.map(is),
  cast("string"),
  cast("boolean"),
  cast("null"),
  cast("object"),
  castList("cast_array", typeOf.array, (items) => items),
  castList("cast_set", typeOf.set, (items) => RegoSet.of(items)),
];
