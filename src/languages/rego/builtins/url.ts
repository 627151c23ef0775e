import { parseUrl, plainParts, splitHost } from "../../../core/go-url.ts";
import { anyOf, arrayOf, booleanType, objectOf, setOf, stringType } from "../types/type.ts";
import { compareStrings } from "../values/compare.ts";
import { keyText } from "../values/json.ts";
import { quote } from "../values/print.ts";
import { bytesOf, textOf } from "../values/text.ts";
import { RegoObject, type Value } from "../values/value.ts";
import { type Builtin, BuiltinError, type BuiltinResult } from "./builtin.ts";
import { any, declared, failure, isArray, isSet, itemsOf, object, operandError, string, unary } from "./operand.ts";

/** As Go's url.QueryEscape: letters, digits and `-_.~` stay, a space becomes `+`. */
function escapeQuery(text: string): string {
  let escaped = "";
  for (const byte of bytesOf(text)) {
    const char = String.fromCharCode(byte);
    if (char === " ") escaped += "+";
    else escaped += /[\w.~-]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return escaped;
}

function unescapeQuery(text: string): string | BuiltinError {
  const wrong = /%(?![\da-fA-F]{2}).{0,2}/su.exec(text)?.[0];
  if (wrong !== undefined) return failure(`invalid URL escape ${quote(wrong)}`);
  const bytes: number[] = [];
  for (const part of text.match(/%..|\+|[^%+]+/gsu) ?? []) {
    if (part === "+") bytes.push(0x20);
    else if (part.startsWith("%")) bytes.push(Number.parseInt(part.slice(1), 16));
    else bytes.push(...bytesOf(part));
  }
  return textOf(Uint8Array.from(bytes));
}

const notTexts = operandError(1, "values must be string, array[string], or set[string]");

function encodeObject(members: RegoObject): BuiltinResult {
  const pairs: { readonly key: string; readonly values: readonly string[] }[] = [];
  for (const { key, value } of members.sorted()) {
    const items: readonly Value[] = isArray(value) || isSet(value) ? itemsOf(value) : [value];
    const texts = items.filter((item) => typeof item === "string");
    if (texts.length < items.length) return notTexts;
    pairs.push({ key: keyText(key), values: texts });
  }
  return pairs
    .sort((a, b) => compareStrings(a.key, b.key))
    .flatMap(({ key, values }) => values.map((value) => `${escapeQuery(key)}=${escapeQuery(value)}`))
    .join("&");
}

function decodeObject(query: string): BuiltinResult {
  const values = new Map<string, string[]>();
  let problem: BuiltinError | undefined;
  for (const pair of query.split("&")) {
    if (pair.includes(";")) problem ??= failure("invalid semicolon separator in query");
    if (pair === "" || pair.includes(";")) continue;
    const equals = pair.indexOf("=");
    const key = unescapeQuery(equals < 0 ? pair : pair.slice(0, equals));
    const value = key instanceof BuiltinError ? key : unescapeQuery(equals < 0 ? "" : pair.slice(equals + 1));
    if (key instanceof BuiltinError || value instanceof BuiltinError) {
      problem ??= value instanceof BuiltinError ? value : undefined;
      continue;
    }
    const known = values.get(key) ?? [];
    values.set(key, [...known, value]);
  }
  return problem ?? RegoObject.of(values);
}

function parse(text: string): BuiltinResult {
  const parsed = parseUrl(text);
  if (!parsed.ok) return failure(parsed.message);
  const url = parsed.value;
  const { name, port } = splitHost(url);
  const { path, rawPath, query, fragment } = plainParts(url);
  const parts: readonly (readonly [string, string])[] = [
    ["scheme", url.scheme],
    ["hostname", name],
    ["port", port],
    ["path", path],
    ["raw_path", rawPath],
    ["raw_query", query],
    ["fragment", fragment],
  ];
  return RegoObject.of(parts.filter(([, value]) => value !== ""));
}

const texts = anyOf(stringType, arrayOf(stringType), setOf(stringType));

export const urlBuiltins: readonly Builtin[] = [
  unary("urlquery.encode", string, stringType, escapeQuery),
  unary("urlquery.decode", string, stringType, unescapeQuery),
  unary("urlquery.encode_object", declared(objectOf(stringType, texts), object), stringType, encodeObject),
  unary("urlquery.decode_object", string, objectOf(stringType, arrayOf(stringType)), decodeObject),
  unary("uri.parse", string, objectOf(stringType, stringType), parse),
  unary(
    "uri.is_valid",
    { ...any, type: stringType },
    booleanType,
    (value) => typeof value === "string" && value !== "" && parseUrl(value).ok,
  ),
];
