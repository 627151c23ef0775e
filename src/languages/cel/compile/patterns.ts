import { compileRegex, type Regex } from "../../../core/regex.ts";
import type { CallExpr } from "../ast.ts";
import { isInt } from "../values/numbers.ts";
import { Failure, noSuchOverload, type Value } from "../values/value.ts";
import type { FunctionReference } from "./calls.ts";
import type { Compiler, Node } from "./compiler.ts";

/** Functions whose second argument is a regular expression; with a constant one they are computed with it compiled. */
const byName = new Map<string, (regex: Regex, args: readonly Value[]) => Value>([
  ["matches", (regex, [text]) => (typeof text === "string" ? regex.test(text) : noSuchOverload())],
  ["find", (regex, [text]) => (typeof text === "string" ? (regex.match(text)?.[0] ?? "") : noSuchOverload())],
  [
    "findAll",
    (regex, [text, , limit = -1]) => {
      if (typeof text !== "string" || !isInt(limit)) return noSuchOverload();
      return regex.matchAll(text, Number(limit)).map((groups) => groups[0] ?? "");
    },
  ],
]);

/** A call with a constant pattern: a bad pattern is found before the expression ever runs. */
export function compilePattern(
  expr: CallExpr,
  reference: FunctionReference,
  args: readonly Node[],
  compiler: Compiler,
): { readonly variadic: true; readonly call: (args: readonly Value[]) => Value } | undefined {
  const { name } = reference.declaration;
  const compute = byName.get(name);
  const pattern = args[1]?.constant?.value;
  // `matches` belongs to the language, where this is an optimisation; the Kubernetes functions always do it.
  if (compute === undefined || typeof pattern !== "string") return undefined;
  if (name === "matches" && !compiler.env.options.foldConstants) return undefined;
  const compiled = compileRegex(pattern);
  if (!compiled.ok) return compiler.fail(args[1]?.id ?? expr.id, compiled.message);
  const { value: regex } = compiled;
  return { variadic: true, call: (values) => failure(values) ?? compute(regex, values) };
}

function failure(values: readonly Value[]): Failure | undefined {
  return values.find((value) => value instanceof Failure);
}
