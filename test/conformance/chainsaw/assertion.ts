import { isArray, isObject, type JsonObject, type JsonValue } from "../../../src/core/json.ts";
import { compileJmesPath, NotFound } from "../../../src/languages/jmespath/index.ts";

/** Values that expressions name by `$name`. */
export type Bindings = { readonly [name: string]: JsonValue };

const host = { now: Date.now, random: Math.random };

/** The value of `(expression)`; null where it leads nowhere. */
function evaluate(expression: string, value: JsonValue, bindings: Bindings): JsonValue {
  // Chainsaw's own, which Kyverno's dialect does not have.
  const trimmed = /^trim_space\((.*)\)$/s.exec(expression)?.[1];
  if (trimmed !== undefined) return String(evaluate(trimmed, value, bindings)).trim();
  const source = expression.replace(
    /\$(\w+)/g,
    (_, name: string) => `\`${JSON.stringify(bindings[name] ?? null).replaceAll("`", "\\`")}\``,
  );
  const compiled = compileJmesPath(source);
  if (!compiled.ok) throw new Error(`${expression}: ${compiled.diagnostics[0]?.message}`);
  const result = compiled.value(value, host);
  return result instanceof NotFound ? null : result;
}

const parenthesised = (text: string) => /^\((.*)\)$/s.exec(text)?.[1];

/** Replaces `($name)` and other expressions in the texts of a resource. */
export function render(value: JsonValue, bindings: Bindings): JsonValue {
  if (isArray(value)) return value.map((item) => render(item, bindings));
  if (isObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, render(item ?? null, bindings)]));
  }
  const expression = typeof value === "string" ? parenthesised(value) : undefined;
  return expression?.includes("$") === true ? evaluate(expression ?? "", null, bindings) : value;
}

/** Where `actual` is not what an assertion tree asks for (kyverno-json's language, as Chainsaw uses it); undefined where it is. */
export function mismatch(expected: JsonValue, actual: JsonValue | undefined, bindings: Bindings, path = ""): string | undefined {
  if (isObject(expected)) return mismatchOfMembers(expected, actual, bindings, path);
  if (isArray(expected)) {
    if (!isArray(actual)) return `${path}: no list`;
    if (actual.length !== expected.length) return `${path}: ${actual.length} items, not ${expected.length}`;
    for (const [i, item] of expected.entries()) {
      const problem = mismatch(item, actual[i], bindings, `${path}[${i}]`);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }
  const expression = typeof expected === "string" ? parenthesised(expected) : undefined;
  const wanted = expression === undefined ? expected : evaluate(expression, actual ?? null, bindings);
  return same(wanted, actual) ? undefined : `${path}: ${JSON.stringify(actual)}, not ${JSON.stringify(wanted)}`;
}

function mismatchOfMembers(
  expected: JsonObject,
  actual: JsonValue | undefined,
  bindings: Bindings,
  path: string,
): string | undefined {
  for (const [key, item] of Object.entries(expected)) {
    const each = /^~\.?(.*)$/.exec(key)?.[1];
    const name = (each ?? key).replace(/->\w+$/, "");
    const expression = parenthesised(name);
    const plain = name.replace(/^\\(.*)\\$/, "$1");
    let value: JsonValue | undefined;
    if (expression !== undefined) value = evaluate(expression, actual ?? null, bindings);
    else if (name === "") value = actual;
    else if (isObject(actual)) value = actual[plain];
    else return `${path}: no object`;
    if (value === undefined && item !== null) return `${path}.${name}: missing`;
    const items = each === undefined ? [value] : isArray(value) ? value : isObject(value) ? Object.values(value) : [];
    for (const one of items) {
      const problem = mismatch(item ?? null, one, bindings, `${path}.${name}`);
      if (problem !== undefined) return problem;
    }
  }
  return undefined;
}

function same(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (a === null && b === undefined) return true;
  return typeof a === "bigint" || typeof b === "bigint" ? String(a) === String(b) : a === b;
}
