import { check } from "./checker.ts";
import type { Activation } from "./compile/frame.ts";
import type { Outside } from "./declarations.ts";
import { Env } from "./env.ts";
import { formatIssues } from "./issue.ts";
import { bindingsLibrary } from "./libraries/bindings.ts";
import { encodersLibrary } from "./libraries/encoders.ts";
import { listsLibrary } from "./libraries/lists.ts";
import { mathLibrary } from "./libraries/math.ts";
import { cidrLibrary, ipLibrary } from "./libraries/network.ts";
import { optionalLibrary } from "./libraries/optional.ts";
import { regexLibrary } from "./libraries/regex.ts";
import { setsLibrary } from "./libraries/sets.ts";
import { standardLibrary } from "./libraries/standard.ts";
import { stringsLibrary } from "./libraries/strings.ts";
import { twoVariableLibrary } from "./libraries/two-variable.ts";
import { parse } from "./parser.ts";
import { compile, type Evaluation } from "./program.ts";
import { dynType, formatType } from "./types.ts";
import { displayValue } from "./values/format.ts";

/** All of cel-go's libraries, and variables `x` and `object` of any type. */
export const everything = new Env({
  libraries: [
    standardLibrary,
    optionalLibrary(2),
    stringsLibrary(4),
    listsLibrary(3),
    setsLibrary,
    mathLibrary(2),
    encodersLibrary,
    regexLibrary,
    bindingsLibrary,
    twoVariableLibrary,
    ipLibrary("extension"),
    cidrLibrary("extension"),
  ],
  variables: ["x", "object"].map((name) => ({ name, type: dynType })),
});

/** What comes of an expression. @throws Error with what is wrong with it */
export function run(
  source: string,
  variables: Activation = {},
  env: Env = everything,
  limit?: number,
  outside?: Outside,
): Evaluation {
  const parsed = parse(source, env.syntax);
  if (!parsed.ok) throw new Error(formatIssues(source, parsed.issues));
  const typed = check(parsed.value, env);
  if (!typed.ok) throw new Error(formatIssues(source, typed.issues));
  const program = compile(typed.value, env);
  if (!program.ok) throw new Error(formatIssues(source, program.issues));
  return program.value.evaluate(variables, outside, limit);
}

/** The value or error as messages show it. */
export function shown(source: string, variables: Activation = {}, env: Env = everything): string {
  return displayValue(run(source, variables, env).value);
}

/** The type of an expression, or what is wrong with it. */
export function typeOrIssues(source: string, env: Env = everything): string {
  const parsed = parse(source, env.syntax);
  if (!parsed.ok) return formatIssues(source, parsed.issues);
  const typed = check(parsed.value, env);
  return typed.ok ? formatType(typed.value.resultType) : formatIssues(source, typed.issues);
}
