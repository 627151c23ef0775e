import { compileRegex, escapeRegex, type Regex } from "../../../core/regex.ts";
import { arrayOf, booleanType, stringType } from "../types/type.ts";
import { quote } from "../values/print.ts";
import type { Value } from "../values/value.ts";
import type { Builtin, BuiltinError } from "./builtin.ts";
import { globsIntersect } from "./globs-intersect.ts";
import { any, binary, failure, integer, isError, quaternary, string, ternary, unary } from "./operand.ts";

const strings = arrayOf(stringType);

function compile(pattern: string): Regex | BuiltinError {
  const compiled = compileRegex(pattern);
  return compiled.ok ? compiled.value : failure(compiled.message);
}

function using(pattern: string, run: (regex: Regex) => Value): Value | BuiltinError {
  const regex = compile(pattern);
  return isError(regex) ? regex : run(regex);
}

/** As Go's Regexp.Split without a limit. */
function split(regex: Regex, text: string): readonly string[] {
  if (regex.source !== "" && text === "") return [""];
  const parts: string[] = [];
  let begin = 0;
  let end = 0;
  for (const span of regex.spans(text)) {
    end = span.start;
    // An empty match at the very start cuts nothing off.
    if (span.end !== 0) parts.push(text.slice(begin, end));
    begin = span.end;
  }
  return end === text.length ? parts : [...parts, text.slice(begin)];
}

/** Where the outermost delimiters begin and end; undefined: they do not come in pairs. */
function delimited(template: string, open: string, close: string): readonly (readonly [number, number])[] | undefined {
  const found: (readonly [number, number])[] = [];
  let level = 0;
  let start = 0;
  for (let i = 0; i < template.length; i++) {
    const char = template.charAt(i);
    if (char === open) {
      if (++level === 1) start = i;
    } else if (char === close) {
      if (--level < 0) return undefined;
      if (level === 0) found.push([start, i + 1]);
    }
  }
  return level === 0 ? found : undefined;
}

function templateMatch(template: string, text: string, open: string, close: string): Value | BuiltinError {
  const oneByte = (char: string) => char.length === 1 && char < "\u0080";
  if (!oneByte(open)) return failure(`start delimiter has to be exactly one character long but is ${open.length} long`);
  if (!oneByte(close)) return failure(`end delimiter has to be exactly one character long but is ${open.length} long`);
  const places = delimited(template, open, close);
  if (places === undefined) return failure(`unbalanced braces in ${quote(template)}`);
  let pattern = "^";
  let copied = 0;
  for (const [start, end] of places) {
    const inner = template.slice(start + 1, end - 1);
    const checked = compile(`^${inner}$`);
    if (isError(checked)) return checked;
    pattern += `${escapeRegex(template.slice(copied, start))}(${inner})`;
    copied = end;
  }
  return using(`${pattern}${escapeRegex(template.slice(copied))}$`, (regex) => regex.test(text));
}

const match = (pattern: string, text: string) => using(pattern, (regex) => regex.test(text));
const two = [string, string] as const;

export const regexBuiltins: readonly Builtin[] = [
  binary("regex.match", two, booleanType, match),
  binary("re_match", two, booleanType, match, { deprecated: true }),
  unary(
    "regex.is_valid",
    { ...any, type: stringType },
    booleanType,
    (pattern) => typeof pattern === "string" && compileRegex(pattern).ok,
  ),
  binary("regex.split", two, strings, (pattern, text) => using(pattern, (regex) => split(regex, text))),
  ternary("regex.find_n", [string, string, integer], strings, (pattern, text, limit) =>
    using(pattern, (regex) => regex.matchAll(text, limit).map(([whole = ""]) => whole)),
  ),
  ternary("regex.find_all_string_submatch_n", [string, string, integer], arrayOf(strings), (pattern, text, limit) =>
    using(pattern, (regex) => regex.matchAll(text, limit).map((groups) => groups.map((group) => group ?? ""))),
  ),
  ternary("regex.replace", [string, string, string], stringType, (text, pattern, replacement) =>
    using(pattern, (regex) => regex.replaceAll(text, replacement)),
  ),
  quaternary("regex.template_match", [string, string, string, string], booleanType, templateMatch),
  binary("regex.globs_match", two, booleanType, (a, b, context) => {
    const meet = globsIntersect(a, b, (steps) => context.spend(steps));
    return typeof meet === "string" ? failure(meet) : meet;
  }),
];
