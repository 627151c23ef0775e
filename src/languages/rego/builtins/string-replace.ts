import { objectOf, stringType } from "../types/type.ts";
import { bytesOf, textOf } from "../values/text.ts";
import type { Builtin, BuiltinContext } from "./builtin.ts";
import { binary, declared, object, operandError, string, ternary } from "./operand.ts";

/** At each place the first pattern that fits is replaced, as Go's strings.Replacer does; an empty one fits everywhere. */
function replaceEach(
  text: string,
  pairs: readonly (readonly [old: string, replacement: string])[],
  context: BuiltinContext,
): string {
  const empty = pairs.find(([old]) => old === "")?.[1];
  const byFirst = Map.groupBy(
    pairs.filter(([old]) => old !== ""),
    ([old]) => old.charAt(0),
  );
  let result = "";
  let copied = 0;
  let wasEmpty = false;
  for (let at = 0; at <= text.length; ) {
    const fitting = byFirst.get(text.charAt(at));
    // Patterns come in order and the empty one is the first of all.
    const found = empty !== undefined && !wasEmpty ? undefined : fitting?.find(([old]) => text.startsWith(old, at));
    const insert: boolean = empty !== undefined && !wasEmpty;
    if (found === undefined && !insert) {
      wasEmpty = false;
      at += text.codePointAt(at) !== undefined && (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
      continue;
    }
    const [old, replacement] = found ?? ["", empty ?? ""];
    result += text.slice(copied, at) + replacement;
    context.spend(1 + replacement.length / 64);
    at += old.length;
    copied = at;
    wasEmpty = insert;
  }
  return result + text.slice(copied);
}

/** As {@link replaceEach}, byte by byte: the empty text fits between the bytes of a character too. */
function replaceBytes(
  text: string,
  pairs: readonly (readonly [old: string, replacement: string])[],
  context: BuiltinContext,
): string {
  const spread = (part: string) => Array.from(bytesOf(part), (byte) => String.fromCharCode(byte)).join("");
  const replaced = replaceEach(
    spread(text),
    pairs.map(([old, replacement]) => [spread(old), spread(replacement)]),
    context,
  );
  return textOf(Uint8Array.from(replaced, (char) => char.charCodeAt(0)));
}

export const replaceBuiltins: readonly Builtin[] = [
  ternary("replace", [string, string, string], stringType, (text, old, replacement, context) => {
    if (old === "") return replaceBytes(text, [["", replacement]], context);
    return text.includes(old) ? text.split(old).join(replacement) : text;
  }),
  binary(
    "strings.replace_n",
    [declared(objectOf(stringType, stringType), object), string],
    stringType,
    (patterns, text, context) => {
      const pairs: (readonly [string, string])[] = [];
      for (const { key, value } of patterns.sorted()) {
        if (typeof key !== "string") return operandError(1, "non-string key found in pattern object");
        if (typeof value !== "string") return operandError(1, "non-string value found in pattern object");
        pairs.push([key, value]);
      }
      const isByBytes = pairs.some(([old]) => old === "");
      return isByBytes ? replaceBytes(text, pairs, context) : replaceEach(text, pairs, context);
    },
  ),
];
