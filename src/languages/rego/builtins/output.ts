import { anyType, arrayOf, booleanType, fn, objectOf, setOf, stringType } from "../types/type.ts";
import { printValue } from "../values/print.ts";
import type { Value } from "../values/value.ts";
import type { Builtin, BuiltinContext } from "./builtin.ts";
import { array, declared, isSet, string, unary } from "./operand.ts";

const shown = (value: Value): string => (typeof value === "string" ? value : printValue(value));

/** All texts where each part that is a set stands for any of its elements; an empty one is undefined. */
function* combinations(parts: readonly Value[]): Generator<readonly string[]> {
  const [first, ...rest] = parts;
  if (first === undefined) {
    yield [];
    return;
  }
  const choices = !isSet(first) ? [shown(first)] : first.size === 0 ? ["<undefined>"] : first.sorted().map(shown);
  for (const choice of choices) for (const others of combinations(rest)) yield [choice, ...others];
}

function print(parts: readonly Value[], context: BuiltinContext): true {
  if (context.print === undefined) return true;
  for (const texts of combinations(parts)) {
    context.spend(texts.length);
    context.print(texts.join(" "));
  }
  return true;
}

/** A part is a text, or a set of the one value that an expression has, if it has one. */
function template(parts: readonly Value[]): string {
  return parts
    .map((part) => {
      if (!isSet(part)) return shown(part);
      const [only] = part.sorted();
      return only === undefined ? "<undefined>" : shown(only);
    })
    .join("");
}

export const outputBuiltins: readonly Builtin[] = [
  { name: "print", type: fn([], undefined, anyType), call: print },
  unary("internal.print", declared(arrayOf(setOf(anyType)), array), undefined, print),
  unary("internal.test_case", array, undefined, () => true),
  unary("internal.template_string", array, stringType, template),
  unary("trace", string, booleanType, (text, context) => {
    context.print?.(text);
    return true;
  }),
  {
    name: "opa.runtime",
    type: fn([], objectOf(stringType, anyType)),
    nondeterministic: true,
    call: (_, context) => context.runtime,
  },
];
