import type { FunctionDeclaration } from "../declarations.ts";
import { memberOverload } from "../declarations.ts";
import { type CelTypeOf, dynType, listOf, stringType } from "../types.ts";
import { elementAt } from "../values/containers.ts";
import { typeOf } from "../values/type-of.ts";
import { Bytes, CelError, type CelList, type CelValue, Failure, type Value } from "../values/value.ts";
import { englishFormatters } from "./strings-format-english.ts";
import { plainFormatters } from "./strings-format-plain.ts";

/** `english` is what cel-go had before version 4 of its string functions, and what Kubernetes has. */
export type FormatDialect = "english" | "plain";

export type Verb = "s" | "d" | "f" | "e" | "b" | "x" | "X" | "o";

/** Undefined: the verb does not take such a value. */
export type Formatter = (value: CelValue, precision: number | undefined) => string | undefined;

export type Formatters = { readonly [verb in Verb]: Formatter };

const dialects: { readonly [dialect in FormatDialect]: Formatters } = { english: englishFormatters, plain: plainFormatters };

/** One `%` clause of a format string. */
export interface Clause {
  readonly verb: Verb;
  readonly precision: number | undefined;
}

/** A format string taken apart: literal text and clauses, up to what is wrong with it. */
export interface ParsedFormat {
  readonly parts: readonly (string | Clause)[];
  readonly problem: string | undefined;
}

export function parseFormat(format: string, argCount: number): ParsedFormat {
  const parts: (string | Clause)[] = [];
  const stopped = (problem: string): ParsedFormat => ({ parts, problem });
  let used = 0;
  let rest = format;
  for (;;) {
    const percent = rest.indexOf("%");
    if (percent < 0) break;
    parts.push(rest.slice(0, percent));
    rest = rest.slice(percent + 1);
    if (rest.startsWith("%")) {
      parts.push("%");
      rest = rest.slice(1);
      continue;
    }
    if (used >= argCount) return stopped(`index ${used} out of range`);
    if (rest === "") return stopped("unexpected end of string");
    const clause = /^(?:\.(\d*))?(.?)/su.exec(rest);
    const digits = clause?.[1];
    const verb = clause?.[2] ?? "";
    if (digits !== undefined && verb === "")
      return stopped(wrong("error while parsing precision: could not find end of precision specifier"));
    if (digits === "") {
      return stopped(
        wrong(
          'error while parsing precision: error while converting precision to integer: strconv.Atoi: parsing "": invalid syntax',
        ),
      );
    }
    if (!isVerb(verb)) return stopped(wrong(`unrecognized formatting clause "${verb}"`));
    if (Number(digits ?? 0) > maxPrecision)
      return stopped(wrong(`precision ${digits} exceeds maximum allowed precision ${maxPrecision}`));
    parts.push({ verb, precision: digits === undefined ? undefined : Number(digits) });
    rest = rest.slice(clause?.[0].length ?? 0);
    used++;
  }
  parts.push(rest);
  return { parts, problem: undefined };
}

/** More digits than this say nothing about a float64, and would let a short expression make a long string. */
const maxPrecision = 1000;

function wrong(message: string): string {
  return `could not parse formatting clause: ${message}`;
}

function isVerb(text: string): text is Verb {
  return /^[sdfebxXo]$/.test(text);
}

const takes: { readonly [dialect in FormatDialect]: { readonly [verb in Verb]: string } } = {
  english: {
    s: "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps",
    d: "decimal clause can only be used on integers",
    f: "fixed-point clause can only be used on doubles",
    e: "scientific clause can only be used on doubles",
    b: "only integers and bools can be formatted as binary",
    x: "only integers, byte buffers, and strings can be formatted as hex",
    X: "only integers, byte buffers, and strings can be formatted as hex",
    o: "octal clause can only be used on integers",
  },
  plain: {
    s: "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps",
    d: "decimal clause can only be used on ints, uints, and doubles",
    f: "fixed-point clause can only be used on ints, uints, and doubles",
    e: "scientific clause can only be used on ints, uints, and doubles",
    b: "only ints, uints, and bools can be formatted as binary",
    x: "only ints, uints, bytes, and strings can be formatted as hex",
    X: "only ints, uints, bytes, and strings can be formatted as hex",
    o: "octal clause can only be used on ints and uints",
  },
};

/** What a clause says about a value, of a type named `type`, that it does not take. */
export function clauseError(dialect: FormatDialect, verb: Verb, type: string): string {
  return `error during formatting: ${takes[dialect][verb]}, was given ${type}`;
}

function refusal(dialect: FormatDialect, verb: Verb, arg: CelValue): string {
  if (verb !== "s" || !(arg instanceof Bytes)) return clauseError(dialect, verb, typeOf(arg).name);
  return 'error during formatting: could not convert argument "invalid UTF-8 in bytes, cannot convert to string" to string';
}

function format(dialect: FormatDialect, text: string, args: CelList | readonly CelValue[]): Value {
  const { parts, problem } = parseFormat(text, args.length);
  let result = "";
  let next = 0;
  for (const part of parts) {
    if (typeof part === "string") {
      result += part;
      continue;
    }
    const arg = elementAt(args, next++);
    if (arg instanceof Failure) return arg;
    const formatted = dialects[dialect][part.verb](arg, part.precision);
    if (formatted === undefined) return new CelError(refusal(dialect, part.verb, arg));
    result += formatted;
  }
  return problem === undefined ? result : new CelError(problem);
}

/** `'%s is %d'.format(['a', 1])` */
export function formatFunction(dialect: FormatDialect): FunctionDeclaration {
  const args: CelTypeOf<CelList | readonly CelValue[]> = listOf(dynType);
  const compute = (text: string, values: CelList | readonly CelValue[]) => format(dialect, text, values);
  return {
    name: "format",
    overloads: [memberOverload("string_format", [stringType, args], stringType, compute, { variadic: true })],
  };
}
