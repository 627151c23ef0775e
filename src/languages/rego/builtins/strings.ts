import { anyOf, arrayOf, booleanType, numberType, setOf, stringType } from "../types/type.ts";
import { parseBigFloat, truncate } from "../values/big-float.ts";
import { type NumberValue, numberText } from "../values/number.ts";
import type { Builtin, BuiltinResult } from "./builtin.ts";
import {
  binary,
  failure,
  integer,
  isError,
  listOrSet,
  number,
  operandError,
  string,
  stringsOf,
  ternary,
  unary,
} from "./operand.ts";
import { isAscii, toLower, toUpper } from "./text-case.ts";

const strings = arrayOf(stringType);
const two = [string, string] as const;

/** A text of many characters may be a single UTF-16 unit each, or not: characters are what Rego counts. */
const charactersOf = (text: string): readonly string[] => Array.from(text);
const noSearch = "empty search character";

/** How many characters come before a position in UTF-16 units. */
const characterIndex = (text: string, at: number): number => (isAscii(text) ? at : charactersOf(text.slice(0, at)).length);

function indexOf(text: string, search: string): BuiltinResult {
  if (search === "") return failure(noSearch);
  const at = text.indexOf(search);
  return at < 0 ? -1 : characterIndex(text, at);
}

function indexesOf(text: string, search: string): BuiltinResult {
  if (search === "") return failure(noSearch);
  const found: number[] = [];
  let characters = 0;
  let counted = 0;
  for (let at = text.indexOf(search); at >= 0; at = text.indexOf(search, at + 1)) {
    characters += characterIndex(text.slice(counted, at), at - counted);
    counted = at;
    found.push(characters);
  }
  return found;
}

function substring(text: string, start: number, length: number): BuiltinResult {
  if (start < 0) return failure("negative offset");
  if (isAscii(text)) return text.slice(start, length < 0 ? undefined : start + length);
  return charactersOf(text)
    .slice(start, length < 0 ? undefined : start + length)
    .join("");
}

/** As Go's strings.SplitN; `limit` below 0: no limit. */
function split(text: string, separator: string, limit: number): readonly string[] {
  if (limit === 0) return [];
  const parts = separator === "" ? charactersOf(text) : text.split(separator);
  if (limit < 0 || parts.length <= limit) return parts;
  return [...parts.slice(0, limit - 1), parts.slice(limit - 1).join(separator)];
}

/** The first `count` parts, or the last where it is negative. */
function splitN(text: string, separator: string, count: number): readonly string[] {
  if (count < 0) return split(text, separator, -1).slice(count);
  return split(text, separator, count + 1).slice(0, count);
}

function formatInt(value: NumberValue, base: NumberValue): BuiltinResult {
  const radix = numberText(base);
  if (!["2", "8", "10", "16"].includes(radix)) return operandError(2, "must be one of {2, 8, 10, 16}");
  const text = numberText(value);
  const whole = /^[-+]?\d+$/.test(text) ? BigInt(text.replace("+", "")) : truncate(parseBigFloat(text));
  return whole.toString(Number(radix));
}

function countOf(text: string, search: string): number {
  return search === "" ? charactersOf(text).length + 1 : text.split(search).length - 1;
}

export const stringBuiltins: readonly Builtin[] = [
  binary("contains", two, booleanType, (text, search) => text.includes(search)),
  binary("indexof", two, numberType, indexOf),
  binary("indexof_n", two, arrayOf(numberType), indexesOf),
  ternary("substring", [string, integer, integer], stringType, substring),
  binary("split", two, strings, (text, separator) => split(text, separator, -1)),
  ternary("strings.split_n", [string, string, integer], strings, splitN),
  binary("strings.count", two, numberType, countOf),
  unary("strings.reverse", string, stringType, (text) => charactersOf(text).toReversed().join("")),
  unary("lower", string, stringType, toLower),
  unary("upper", string, stringType, toUpper),
  binary("format_int", [number, number], stringType, formatInt),
  binary("concat", [string, listOrSet(anyOf(strings, setOf(stringType)))], stringType, (separator, collection, context) => {
    const parts = stringsOf(collection, 2);
    if (isError(parts)) return parts;
    context.spend(parts.length / 16);
    return parts.join(separator);
  }),
];
