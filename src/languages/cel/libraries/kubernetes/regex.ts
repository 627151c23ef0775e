import { compileRegex, type Regex } from "../../../../core/regex.ts";
import { type Library, memberOverload } from "../../declarations.ts";
import { type CelTypeOf, intType, listOf, stringType } from "../../types.ts";
import { CelError, type Int, type Value } from "../../values/value.ts";

const int: CelTypeOf<Int> = intType;

function withRegex(pattern: string, use: (regex: Regex) => Value): Value {
  const regex = compileRegex(pattern);
  return regex.ok ? use(regex.value) : new CelError(`Illegal regex: ${regex.message}`);
}

function findAll(text: string, pattern: string, limit: Int): Value {
  return withRegex(pattern, (regex) => regex.matchAll(text, Number(limit)).map((groups) => groups[0] ?? ""));
}

/** `find` and `findAll`; a constant pattern is compiled with the expression. */
export const kubernetesRegexLibrary: Library = {
  name: "kubernetes.regex",
  functions: [
    {
      name: "find",
      overloads: [
        memberOverload("string_find_string", [stringType, stringType], stringType, (text, pattern) =>
          withRegex(pattern, (regex) => regex.match(text)?.[0] ?? ""),
        ),
      ],
    },
    {
      name: "findAll",
      overloads: [
        memberOverload("string_find_all_string", [stringType, stringType], listOf(stringType), (text, pattern) =>
          findAll(text, pattern, -1),
        ),
        memberOverload("string_find_all_string_int", [stringType, stringType, int], listOf(stringType), findAll),
      ],
    },
  ],
};
