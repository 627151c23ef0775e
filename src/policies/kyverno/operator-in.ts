import { formatGoValue } from "../../core/go-format.ts";
import { isArray, isObject, type JsonValue } from "../../core/json.ts";
import { matchWildcard } from "../../core/wildcard.ts";
import { compileStringPattern, operatorOf } from "./string-pattern.ts";

/** Undefined: the value is of no kind that can be searched, so neither the operator nor its opposite holds. */
type Answer = boolean | undefined;

/** Wildcards count on both sides. */
function matchesEither(a: string, b: string): boolean {
  return matchWildcard(a, b) || matchWildcard(b, a);
}

function isIn(key: string, values: readonly string[]): boolean {
  return values.some((value) => matchesEither(key, value));
}

function isRange(value: string): boolean {
  return operatorOf(value) === "-";
}

/** A text value may be a JSON list of texts; text that is no JSON is a list of itself; other JSON cannot be searched. */
function textsOf(value: string): readonly string[] | undefined {
  const parsed = parseJson(value);
  if (parsed === undefined) return [value];
  if (parsed === null) return [];
  if (!isArray(parsed)) return undefined;
  const texts = parsed.map((item) => item ?? "");
  return texts.every((item) => typeof item === "string") ? texts : undefined;
}

function parseJson(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

type Key = { readonly one: string } | { readonly many: readonly string[] };

/** The key as text or texts; undefined for null and objects. */
function keyOf(key: JsonValue): Key | undefined {
  if (isArray(key)) return { many: key.map(formatGoValue) };
  return key === null || isObject(key) ? undefined : { one: formatGoValue(key) };
}

function oneIn(key: string, value: JsonValue): Answer {
  if (isArray(value)) return isIn(key, value.map(formatGoValue));
  if (typeof value !== "string") return undefined;
  if (matchWildcard(value, key)) return true;
  if (isRange(value)) return compileStringPattern(value)(key);
  return textsOf(value)?.includes(key);
}

/** How several keys are judged together. */
interface Quantifier {
  /** On the values of a list. */
  readonly list: (keys: readonly string[], values: readonly string[]) => boolean;
  /** On a range such as `1-5`. */
  readonly range: (keys: readonly string[], range: string) => boolean;
  /** On a single value that equals the single key. */
  readonly same: boolean;
  /** Numbers and booleans count as a list of one. */
  readonly scalars: boolean;
}

function manyIn(keys: readonly string[], value: JsonValue, quantifier: Quantifier): Answer {
  if (isArray(value)) return quantifier.list(keys, value.map(formatGoValue));
  if (typeof value !== "string") {
    const scalar = quantifier.scalars && value !== null && !isObject(value);
    return scalar ? quantifier.list(keys, [formatGoValue(value)]) : undefined;
  }
  if (keys.length === 1 && keys[0] === value) return quantifier.same;
  if (isRange(value)) return quantifier.range(keys, value);
  const values = textsOf(value);
  return values === undefined ? undefined : quantifier.list(keys, values);
}

/** An operator from its answer for one key (`negate` turns it round) and its quantifier for several. */
function operator(quantifier: Quantifier, negate: boolean): (key: JsonValue, value: JsonValue) => boolean {
  return (key, value) => {
    const keys = keyOf(key);
    if (keys === undefined) return false;
    if ("many" in keys) return manyIn(keys.many, value, quantifier) === true;
    return oneIn(keys.one, value) === !negate;
  };
}

export const anyIn = operator(
  {
    list: (keys, values) => keys.some((key) => isIn(key, values)),
    range: (keys, range) => keys.some(compileStringPattern(range)),
    same: true,
    scalars: true,
  },
  false,
);

export const allIn = operator(
  {
    list: (keys, values) => keys.every((key) => isIn(key, values)),
    range: (keys, range) => keys.every(compileStringPattern(range)),
    same: true,
    scalars: false,
  },
  false,
);

export const anyNotIn = operator(
  {
    list: (keys, values) => keys.some((key) => !isIn(key, values)),
    range: (keys, range) => keys.some(compileStringPattern(range.replace("-", "!-"))),
    same: false,
    scalars: true,
  },
  true,
);

export const allNotIn = operator(
  {
    list: (keys, values) => !keys.some((key) => isIn(key, values)),
    range: (keys, range) => !keys.some(compileStringPattern(range)),
    same: false,
    scalars: false,
  },
  true,
);

/** The deprecated `In` and `NotIn`: text values have to be JSON lists, and lists of keys are compared without wildcards. */
function deprecated(negate: boolean): (key: JsonValue, value: JsonValue) => boolean {
  return (key, value) => {
    const keys = keyOf(key);
    if (keys === undefined) return false;
    if ("one" in keys) return deprecatedOne(keys.one, value) === !negate;
    // The original answers yes to both operators here.
    if (keys.many.length === 1 && keys.many[0] === value) return true;
    const values = typeof value === "string" ? jsonTexts(value) : onlyTexts(value);
    return values !== undefined && keys.many.every((k) => values.includes(k)) === !negate;
  };
}

function deprecatedOne(key: string, value: JsonValue): Answer {
  if (isArray(value)) return isIn(key, value.map(formatGoValue));
  if (typeof value !== "string") return undefined;
  return matchWildcard(value, key) || jsonTexts(value)?.includes(key);
}

function jsonTexts(value: string): readonly string[] | undefined {
  return parseJson(value) === undefined ? undefined : textsOf(value);
}

function onlyTexts(value: JsonValue): readonly string[] | undefined {
  return isArray(value) && value.every((item) => typeof item === "string") ? value : undefined;
}

export const deprecatedIn = deprecated(false);
export const deprecatedNotIn = deprecated(true);
