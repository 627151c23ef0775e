import { compileRegex } from "../../../core/regex.ts";
import { type FunctionDeclaration, signature } from "../declarations.ts";
import { boolType, stringType } from "../types.ts";
import { refused } from "../values/traits.ts";
import { CelError, type CelValue, noSuchOverload, type Value } from "../values/value.ts";

function matches(text: CelValue, pattern: CelValue): Value {
  if (typeof text !== "string" || typeof pattern !== "string") return refused("matches", "match", text);
  const regex = compileRegex(pattern);
  return regex.ok ? regex.value.test(text) : new CelError(regex.message);
}

const textAndText = [stringType, stringType] as const;

/** Tests that check their arguments themselves. */
function textTest(name: string, id: string, test: (text: string, part: string) => boolean): FunctionDeclaration {
  const call = (text: CelValue, part: CelValue): Value =>
    typeof text === "string" && typeof part === "string" ? test(text, part) : noSuchOverload();
  return {
    name,
    unguarded: true,
    overloads: [{ ...signature(id, textAndText, boolType, true), implementation: { arity: 2, call } }],
  };
}

export const stringFunctions: readonly FunctionDeclaration[] = [
  textTest("contains", "contains_string", (text, part) => text.includes(part)),
  textTest("endsWith", "ends_with_string", (text, end) => text.endsWith(end)),
  textTest("startsWith", "starts_with_string", (text, start) => text.startsWith(start)),
  {
    name: "matches",
    overloads: [signature("matches", textAndText, boolType), signature("matches_string", textAndText, boolType, true)],
    implementation: { arity: 2, call: matches },
  },
];
