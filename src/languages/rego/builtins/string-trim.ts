import { stringType } from "../types/type.ts";
import type { Builtin } from "./builtin.ts";
import { binary, string, unary } from "./operand.ts";

const chars = (text: string): string[] => Array.from(text);

/** `text` without the characters at its start for which `cut` holds, as far as they go. */
function trimStart(text: string, cut: (char: string) => boolean): string {
  let at = 0;
  for (const char of text) {
    if (!cut(char)) break;
    at += char.length;
  }
  return text.slice(at);
}

function trimEnd(text: string, cut: (char: string) => boolean): string {
  const all = chars(text);
  let length = all.length;
  while (length > 0 && cut(all[length - 1] ?? "")) length--;
  return length === all.length ? text : all.slice(0, length).join("");
}

const isSpace = (char: string): boolean => /\p{White_Space}/u.test(char);

function trimBuiltin(name: string, start: boolean, end: boolean): Builtin {
  return binary(name, [string, string], stringType, (text, cutset) => {
    const cut = new Set(chars(cutset));
    const has = (char: string) => cut.has(char);
    const left = start ? trimStart(text, has) : text;
    return end ? trimEnd(left, has) : left;
  });
}

export const trimBuiltins: readonly Builtin[] = [
  trimBuiltin("trim", true, true),
  trimBuiltin("trim_left", true, false),
  trimBuiltin("trim_right", false, true),
  unary("trim_space", string, stringType, (text) => trimEnd(trimStart(text, isSpace), isSpace)),
  binary("trim_prefix", [string, string], stringType, (text, prefix) =>
    text.startsWith(prefix) ? text.slice(prefix.length) : text,
  ),
  binary("trim_suffix", [string, string], stringType, (text, suffix) =>
    text.endsWith(suffix) ? text.slice(0, text.length - suffix.length) : text,
  ),
];
