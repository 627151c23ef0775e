import { compileRegex, type Regex } from "../../../core/regex.ts";
import { anyOf, arrayOf, booleanType, nullType, stringType } from "../types/type.ts";
import type { Value } from "../values/value.ts";
import { type Builtin, BuiltinError } from "./builtin.ts";
import { any, elementError, failure, isArray, string, ternary, typeError, unary } from "./operand.ts";

const codePoint = (char: string): string => `\\x{${(char.codePointAt(0) ?? 0).toString(16)}}`;
const literal = (text: string): string => Array.from(text, codePoint).join("");

/** `*`, `**`, `?`, `[a-z]`, `[!abc]`, `{one,two}` and `\` as a regular expression; a problem is thrown as a text. */
class GlobReader {
  readonly #chars: readonly string[];
  readonly #notSeparator: string;
  #at = 0;

  constructor(pattern: string, separators: readonly string[]) {
    this.#chars = Array.from(pattern);
    this.#notSeparator = separators.length === 0 ? "." : `[^${separators.map(codePoint).join("")}]`;
  }

  /** The pattern up to the end, or inside braces up to `,` or `}`. */
  sequence(level: number): string | BuiltinError {
    let source = "";
    for (;;) {
      const char = this.#chars[this.#at];
      if (char === undefined) return level > 0 ? this.#fail("unclosed `{`") : source;
      if (level > 0 && (char === "," || char === "}")) return source;
      const part = this.#term(char, level);
      if (part instanceof BuiltinError) return part;
      source += part;
    }
  }

  #term(char: string, level: number): string | BuiltinError {
    this.#at++;
    switch (char) {
      case "{":
        return this.#alternatives(level + 1);
      case "[":
        return this.#characterClass();
      case "?":
        return this.#notSeparator;
      case "*":
        if (this.#chars[this.#at] !== "*") return `${this.#notSeparator}*`;
        this.#at++;
        return ".*";
      case "\\": {
        const escaped = this.#chars[this.#at++];
        return escaped === undefined ? this.#fail("trailing backslash") : literal(escaped);
      }
      default:
        return literal(char);
    }
  }

  #alternatives(level: number): string | BuiltinError {
    const options: string[] = [];
    for (;;) {
      const option = this.sequence(level);
      if (option instanceof BuiltinError) return option;
      options.push(option);
      if (this.#chars[this.#at++] === "}") return `(?:${options.join("|")})`;
    }
  }

  #characterClass(): string | BuiltinError {
    const not = this.#chars[this.#at] === "!" ? "^" : "";
    if (not !== "") this.#at++;
    const low = this.#chars[this.#at];
    if (low === undefined) return this.#fail("unexpected end of input");
    if (this.#chars[this.#at + 1] === "-") {
      const high = this.#chars[this.#at + 2];
      this.#at += 3;
      if (high === undefined) return this.#fail("unexpected end of input");
      if ((high.codePointAt(0) ?? 0) < (low.codePointAt(0) ?? 0)) return this.#fail("range hi character is less than lo");
      return this.#closed(`[${not}${codePoint(low)}-${codePoint(high)}]`);
    }
    let members = "";
    while (this.#at < this.#chars.length && this.#chars[this.#at] !== "]") {
      if (this.#chars[this.#at] === "\\") this.#at++;
      const member = this.#chars[this.#at++];
      if (member === undefined) return this.#fail("trailing backslash");
      members += codePoint(member);
    }
    return members === "" ? this.#fail("could not parse range") : this.#closed(`[${not}${members}]`);
  }

  #closed(source: string): string | BuiltinError {
    const char = this.#chars[this.#at++];
    if (char === "]") return source;
    return this.#fail(char === undefined ? "unexpected end of input" : "expected close range character");
  }

  #fail(problem: string): BuiltinError {
    return failure(`glob: syntax error at ${Math.min(this.#at, this.#chars.length)}: ${problem}`);
  }
}

const cache = new Map<string, Regex | BuiltinError>();
const cacheLimit = 1000;

function compile(pattern: string, separators: readonly string[]): Regex | BuiltinError {
  const id = `${pattern}\u0000${separators.join("")}`;
  const known = cache.get(id);
  if (known !== undefined) return known;
  const source = new GlobReader(pattern, separators).sequence(0);
  const regex = source instanceof BuiltinError ? undefined : compileRegex(`(?s)^(?:${source})$`);
  const compiled = source instanceof BuiltinError ? source : regex?.ok ? regex.value : failure(regex?.message ?? "");
  if (cache.size >= cacheLimit) cache.clear();
  cache.set(id, compiled);
  return compiled;
}

/** Null: nothing separates; an empty array: the dot does. */
function separatorsOf(value: Value): readonly string[] | BuiltinError {
  if (value === null) return [];
  if (!isArray(value)) return typeError(2, value, "array", "null");
  const separators: string[] = [];
  for (const item of value) {
    if (typeof item !== "string") return elementError(2, value, item, "string");
    if (Array.from(item).length !== 1) return elementError(2, value, item, "rune");
    separators.push(item);
  }
  return separators.length === 0 ? ["."] : separators;
}

const separatorsOperand = { ...any, type: anyOf(nullType, arrayOf(stringType)) };

export const globBuiltins: readonly Builtin[] = [
  ternary("glob.match", [string, separatorsOperand, string], booleanType, (pattern, delimiters, text) => {
    const separators = separatorsOf(delimiters);
    if (separators instanceof BuiltinError) return separators;
    const regex = compile(pattern, separators);
    return regex instanceof BuiltinError ? regex : regex.test(text);
  }),
  unary("glob.quote_meta", string, stringType, (text) => text.replace(/[*?\\[\]{}]/g, "\\$&")),
];
