import { type FunctionDeclaration, type Library, memberOverload, overload } from "../declarations.ts";
import { type CelTypeOf, intType, listOf, stringType } from "../types.ts";
import { elementAt } from "../values/containers.ts";
import { displayValue } from "../values/format.ts";
import { isBasicPlane } from "../values/text.ts";
import { CelError, type CelList, type CelValue, type Int, isList, type Value } from "../values/value.ts";
import { type FormatDialect, formatFunction } from "./strings-format.ts";
import { formatCalls } from "./strings-format-validator.ts";

const int: CelTypeOf<Int> = intType;
const stringList: CelTypeOf<CelList | readonly CelValue[]> = listOf(stringType);

function outOfRange(index: Int): CelError {
  return new CelError(`index out of range: ${index}`);
}

/** Code points, so that indexes count characters as CEL does; the text itself where that makes no difference. */
function characters(text: string): string | readonly string[] {
  return isBasicPlane(text) ? text : Array.from(text);
}

function join(part: string | readonly string[]): string {
  return typeof part === "string" ? part : part.join("");
}

function charAt(text: string, index: Int): Value {
  const chars = characters(text);
  return index < 0 || index > chars.length ? outOfRange(index) : (chars[Number(index)] ?? "");
}

/**
 * What becomes of offsets beyond the text: the empty string is found at whatever the offset is, or at the end (later releases
 * of cel-go), or no such offset is accepted at all (the specification).
 */
export type OffsetRule = "free" | "clamped" | "checked";

function emptyIndex(length: number, offset: Int, rule: OffsetRule): Value {
  if (rule === "free" || (offset >= 0 && offset <= length)) return offset;
  return offset < 0 ? outOfRange(offset) : length;
}

function indexOf(text: string, part: string, offset: Int, rule: OffsetRule): Value {
  const chars = characters(text);
  if (rule === "checked" && offset > chars.length) return outOfRange(offset);
  if (part === "") return emptyIndex(chars.length, offset, rule);
  if (offset < 0) return outOfRange(offset);
  if (offset >= chars.length) return -1;
  if (typeof chars === "string") return chars.indexOf(part, Number(offset));
  const wanted = Array.from(part);
  for (let i = Number(offset); i <= chars.length - wanted.length; i++) {
    if (wanted.every((char, j) => chars[i + j] === char)) return i;
  }
  return -1;
}

function lastIndexOf(text: string, part: string, rule: OffsetRule, offset?: Int): Value {
  const chars = characters(text);
  if (rule === "checked" && offset !== undefined && offset > chars.length) return outOfRange(offset);
  if (part === "") return offset === undefined ? chars.length : emptyIndex(chars.length, offset, rule);
  const start = offset ?? chars.length - 1;
  if (offset === undefined && text.length < part.length) return -1;
  if (start < 0) return outOfRange(start);
  if (start >= chars.length) return -1;
  if (typeof chars === "string") return chars.lastIndexOf(part, Number(start));
  const wanted = Array.from(part);
  for (let i = Math.min(Number(start), chars.length - wanted.length); i >= 0; i--) {
    if (wanted.every((char, j) => chars[i + j] === char)) return i;
  }
  return -1;
}

function substring(text: string, start: Int, end?: Int): Value {
  const chars = characters(text);
  const last = end ?? chars.length;
  if (end !== undefined && start > last) return new CelError(`invalid substring range. start: ${start}, end: ${end}`);
  if (start < 0 || start > chars.length) return outOfRange(start);
  if (last < 0 || last > chars.length) return outOfRange(last);
  return join(chars.slice(Number(start), Number(last)));
}

/** Go's strings.Replace: an empty `old` stands before every character and at the end. */
function replace(text: string, old: string, replacement: string, limit: Int): string {
  if (limit === 0 || old === replacement) return text;
  if (limit < 0)
    return old === "" ? replaceBetween(text, replacement, Number.POSITIVE_INFINITY) : text.replaceAll(old, () => replacement);
  if (old === "") return replaceBetween(text, replacement, Number(limit));
  let result = "";
  let rest = text;
  for (let done = 0; done < limit; done++) {
    const at = rest.indexOf(old);
    if (at < 0) break;
    result += rest.slice(0, at) + replacement;
    rest = rest.slice(at + old.length);
  }
  return result + rest;
}

function replaceBetween(text: string, replacement: string, limit: number): string {
  const chars = Array.from(text);
  const before = chars.map((char, i) => (i < limit ? replacement + char : char)).join("");
  return chars.length < limit ? before + replacement : before;
}

/** Go's strings.SplitN. */
function split(text: string, separator: string, limit: Int): readonly string[] {
  if (limit === 0) return [];
  const parts = separator === "" ? Array.from(text) : text.split(separator);
  if (limit < 0 || parts.length <= limit) return parts;
  const kept = parts.slice(0, Number(limit) - 1);
  return [...kept, parts.slice(Number(limit) - 1).join(separator)];
}

function lowerAscii(text: string): string {
  return text.replace(/[A-Z]+/g, (upper) => upper.toLowerCase());
}

function upperAscii(text: string): string {
  return text.replace(/[a-z]+/g, (lower) => lower.toUpperCase());
}

/** Unicode white space as Go's strings.TrimSpace knows it. */
function trim(text: string): string {
  const space = "[\\t\\n\\v\\f\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+";
  return text.replace(new RegExp(`^${space}`), "").replace(new RegExp(`${space}$`), "");
}

function joinList(list: CelValue, separator: string): Value {
  if (!isList(list)) return new CelError("no such overload: join");
  const parts: string[] = [];
  for (let i = 0; i < list.length; i++) {
    const element = elementAt(list, i);
    if (typeof element !== "string") return new CelError(`join: invalid input: ${displayValue(element)}`);
    parts.push(element);
  }
  return parts.join(separator);
}

const quotes = new Map([
  ["\x07", "\\a"],
  ["\b", "\\b"],
  ["\f", "\\f"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
  ["\v", "\\v"],
  ["\\", "\\\\"],
  ['"', '\\"'],
]);

function quote(text: string): string {
  return `"${Array.from(text.toWellFormed(), (char) => quotes.get(char) ?? char).join("")}"`;
}

const text = stringType;
const plainFormatCalls = formatCalls("plain");
const englishFormatCalls = formatCalls("english");

function indexFunctions(rule: OffsetRule): readonly FunctionDeclaration[] {
  return [
    {
      name: "indexOf",
      overloads: [
        memberOverload("string_index_of_string", [text, text], intType, (s, part) => indexOf(s, part, 0, rule)),
        memberOverload("string_index_of_string_int", [text, text, int], intType, (s, part, offset) =>
          indexOf(s, part, offset, rule),
        ),
      ],
    },
    {
      name: "lastIndexOf",
      overloads: [
        memberOverload("string_last_index_of_string", [text, text], intType, (s, part) => lastIndexOf(s, part, rule)),
        memberOverload("string_last_index_of_string_int", [text, text, int], intType, (s, part, offset) =>
          lastIndexOf(s, part, rule, offset),
        ),
      ],
    },
  ];
}

const basic: readonly FunctionDeclaration[] = [
  { name: "charAt", overloads: [memberOverload("string_char_at_int", [text, int], stringType, charAt)] },
  { name: "lowerAscii", overloads: [memberOverload("string_lower_ascii", [text], stringType, lowerAscii)] },
  {
    name: "replace",
    overloads: [
      memberOverload("string_replace_string_string", [text, text, text], stringType, (s, old, by) => replace(s, old, by, -1)),
      memberOverload("string_replace_string_string_int", [text, text, text, int], stringType, replace),
    ],
  },
  {
    name: "split",
    overloads: [
      memberOverload("string_split_string", [text, text], listOf(stringType), (s, separator) => split(s, separator, -1)),
      memberOverload("string_split_string_int", [text, text, int], listOf(stringType), split),
    ],
  },
  {
    name: "substring",
    overloads: [
      memberOverload("string_substring_int", [text, int], stringType, (s, start) => substring(s, start)),
      memberOverload("string_substring_int_int", [text, int, int], stringType, substring),
    ],
  },
  { name: "trim", overloads: [memberOverload("string_trim", [text], stringType, trim)] },
  { name: "upperAscii", overloads: [memberOverload("string_upper_ascii", [text], stringType, upperAscii)] },
  {
    name: "join",
    overloads: [
      memberOverload("list_join", [stringList], stringType, (list) => joinList(list, "")),
      memberOverload("list_join_string", [stringList, text], stringType, joinList),
    ],
  },
];

const quoteFunction: FunctionDeclaration = {
  name: "strings.quote",
  overloads: [overload("strings_quote", [text], stringType, quote)],
};

const reverseFunction: FunctionDeclaration = {
  name: "reverse",
  overloads: [memberOverload("string_reverse", [text], stringType, (s) => Array.from(s).reverse().join(""))],
};

/**
 * cel-go's string extensions: 1 adds `format` and `strings.quote`, 3 `reverse`, 4 a `format` without locale.
 * Kubernetes has version 2.
 */
export function stringsLibrary(version: number, offsets: OffsetRule = "clamped"): Library {
  const dialect: FormatDialect = version >= 4 ? "plain" : "english";
  return {
    name: "cel.lib.ext.strings",
    validators: [dialect === "plain" ? plainFormatCalls : englishFormatCalls],
    functions: [
      ...basic,
      ...indexFunctions(offsets),
      ...(version >= 1 ? [formatFunction(dialect), quoteFunction] : []),
      ...(version >= 3 ? [reverseFunction] : []),
    ],
  };
}
