import { formatGoFloat32 } from "../../../core/go-format.ts";
import type { JsonValue } from "../../../core/json.ts";
import { compileRegex, type Regex } from "../../../core/regex.ts";
import { cleanPath } from "../../../core/slash-path.ts";
import { matchWildcard } from "../../../core/wildcard.ts";
import { JmesPathError } from "../errors.ts";
import { define, type Functions, type JmesFunction } from "./call.ts";

const textOrNumber = ["string", "number"] as const;

/** Numbers become text as Kyverno's do: through float32. */
function textOf(value: string | number): string {
  return typeof value === "string" ? value : formatGoFloat32(value);
}

function regex(source: string): Regex {
  const result = compileRegex(source);
  if (result.ok) return result.value;
  throw new JmesPathError(result.message);
}

function regexProblem(literal: JsonValue): string | undefined {
  const result = typeof literal === "string" ? compileRegex(literal) : undefined;
  return result === undefined || result.ok ? undefined : result.message;
}

/** A function whose first argument is a regular expression. */
function withRegex(fn: JmesFunction): JmesFunction {
  return { ...fn, literalProblem: regexProblem };
}

/** As Go's strings.Replace: at most `count` times, without limit if negative; an empty `what` stands between all characters. */
function replace(text: string, what: string, by: string, count: number): string {
  const most = count < 0 ? Number.POSITIVE_INFINITY : count;
  if (what !== "") {
    const parts = text.split(what);
    const replaced = Math.min(most, parts.length - 1);
    return [...parts.slice(0, replaced), parts.slice(replaced).join(what)].join(by);
  }
  const chars = Array.from(text);
  const slots = Math.min(most, chars.length + 1);
  return chars.map((char, i) => (i < slots ? by + char : char)).join("") + (slots > chars.length ? by : "");
}

/** One character to one character, as Go's unicode.ToUpper: `ß` has no upper case of its own. */
function upper(char: string): string {
  const mapped = char.toUpperCase();
  return Array.from(mapped).length === 1 ? mapped : char;
}

function lower(char: string): string {
  return Array.from(char.toLowerCase())[0] ?? char;
}

function mapChars(text: string, map: (char: string) => string): string {
  return Array.from(text, map).join("");
}

function fold(text: string): string {
  return mapChars(text, (char) => lower(upper(char)));
}

function trim(text: string, cutset: string): string {
  const cut = new Set(cutset);
  const chars = Array.from(text);
  let start = 0;
  let end = chars.length;
  while (start < end && cut.has(chars[start] ?? "")) start++;
  while (end > start && cut.has(chars[end - 1] ?? "")) end--;
  return chars.slice(start, end).join("");
}

function toBoolean(text: string): JsonValue {
  const lowerCase = text.toLowerCase();
  if (lowerCase === "true" || lowerCase === "false") return lowerCase === "true";
  const problem = `lowercase argument must be 'true' or 'false' (provided: '${text}')`;
  throw new JmesPathError(`JMESPath function 'to_boolean': ${problem}`);
}

export const textFunctions: Functions = {
  compare: define(["string", "string"], ([a, b]) => (a < b ? -1 : a > b ? 1 : 0)),
  equal_fold: define(["string", "string"], ([a, b]) => fold(a) === fold(b)),
  replace: define(["string", "string", "string", "number"], ([text, what, by, count]) =>
    replace(text, what, by, Math.trunc(count)),
  ),
  replace_all: define(["string", "string", "string"], ([text, what, by]) => replace(text, what, by, -1)),
  to_upper: define(["string"], ([text]) => mapChars(text, upper)),
  to_lower: define(["string"], ([text]) => mapChars(text, lower)),
  trim: define(["string", "string"], ([text, cutset]) => trim(text, cutset)),
  trim_prefix: define(["string", "string"], ([text, prefix]) => (text.startsWith(prefix) ? text.slice(prefix.length) : text)),
  split: define(["string", "string"], ([text, separator]) => (separator === "" ? Array.from(text) : text.split(separator))),
  regex_match: withRegex(define(["string", textOrNumber], ([source, value]) => regex(source).test(textOf(value)))),
  regex_replace_all: withRegex(
    define(["string", textOrNumber, textOrNumber], ([source, value, by]) => regex(source).replaceAll(textOf(value), textOf(by))),
  ),
  regex_replace_all_literal: withRegex(
    define(["string", textOrNumber, textOrNumber], ([source, value, by]) =>
      regex(source).replaceAllLiteral(textOf(value), textOf(by)),
    ),
  ),
  pattern_match: define(["string", textOrNumber], ([pattern, value]) => matchWildcard(pattern, textOf(value))),
  to_boolean: define(["string"], ([text]) => toBoolean(text)),
  truncate: define(["string", "number"], ([text, length]) =>
    Array.from(text)
      .slice(0, Math.max(0, Math.trunc(length)))
      .join(""),
  ),
  path_canonicalize: define(["string"], ([path]) => (path === "" ? "" : cleanPath(path))),
};
