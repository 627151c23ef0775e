import { compileRegex } from "../../../core/regex.ts";
import { type FunctionDeclaration, memberOverload, signature } from "../declarations.ts";
import { boolType, stringType } from "../types.ts";
import { refused } from "../values/traits.ts";
import { CelError, type CelValue, type Value } from "../values/value.ts";

function matches(text: CelValue, pattern: CelValue): Value {
  if (typeof text !== "string" || typeof pattern !== "string") return refused("matches", "match", text);
  const regex = compileRegex(pattern);
  return regex.ok ? regex.value.test(text) : new CelError(regex.message);
}

const textAndText = [stringType, stringType] as const;

export const stringFunctions: readonly FunctionDeclaration[] = [
  {
    name: "contains",
    overloads: [memberOverload("contains_string", textAndText, boolType, (text, part) => text.includes(part))],
  },
  {
    name: "endsWith",
    overloads: [memberOverload("ends_with_string", textAndText, boolType, (text, end) => text.endsWith(end))],
  },
  {
    name: "startsWith",
    overloads: [memberOverload("starts_with_string", textAndText, boolType, (text, start) => text.startsWith(start))],
  },
  {
    name: "matches",
    overloads: [signature("matches", textAndText, boolType), signature("matches_string", textAndText, boolType, true)],
    implementation: { arity: 2, call: matches },
  },
];
