import { anyOf, arrayOf, booleanType, setOf, stringType } from "../types/type.ts";
import type { Value } from "../values/value.ts";
import { type Builtin, BuiltinError } from "./builtin.ts";
import { any, binary, isArray, isSet, string, stringsOf, typeError } from "./operand.ts";

const texts = { ...any, type: anyOf(stringType, arrayOf(stringType), setOf(stringType)) };

function read(value: Value, position: number): readonly string[] | BuiltinError {
  if (typeof value === "string") return [value];
  return isArray(value) || isSet(value) ? stringsOf(value, position) : typeError(position, value, "string", "set", "array");
}

function anyMatch(name: string, matches: (text: string, affix: string) => boolean): Builtin {
  return binary(name, [texts, texts], booleanType, (search, base, context) => {
    const found = read(search, 1);
    if (found instanceof BuiltinError) return found;
    const affixes = read(base, 2);
    if (affixes instanceof BuiltinError) return affixes;
    context.spend((found.length * affixes.length) / 16);
    return found.some((text) => affixes.some((affix) => matches(text, affix)));
  });
}

const startsWith = (text: string, prefix: string): boolean => text.startsWith(prefix);
const endsWith = (text: string, suffix: string): boolean => text.endsWith(suffix);

export const affixBuiltins: readonly Builtin[] = [
  binary("startswith", [string, string], booleanType, startsWith),
  binary("endswith", [string, string], booleanType, endsWith),
  anyMatch("strings.any_prefix_match", startsWith),
  anyMatch("strings.any_suffix_match", endsWith),
];
