import { quoteGo } from "../../../core/go-quote.ts";
import { compileRegex, type Regex } from "../../../core/regex.ts";
import { type Library, overload } from "../declarations.ts";
import { type CelTypeOf, intType, listOf, optionalOf, stringType } from "../types.ts";
import { CelError, type Int, Optional, type Value } from "../values/value.ts";

const int: CelTypeOf<Int> = intType;

function withPattern(pattern: string, prefix: string, compute: (regex: Regex) => Value): Value {
  const regex = compileRegex(pattern);
  return regex.ok ? compute(regex.value) : new CelError(`${prefix}${regex.message}`);
}

/** Extraction wants at most one group, and gives that instead of the whole match. */
function withOneGroup(pattern: string, compute: (regex: Regex) => Value): Value {
  return withPattern(pattern, "given regex is invalid: ", (regex) =>
    regex.groupCount > 1
      ? new CelError(`regular expression has more than one capturing group: ${quoteGo(pattern)}`)
      : compute(regex),
  );
}

function extract(text: string, pattern: string): Value {
  return withOneGroup(pattern, (regex) => {
    const found = regex.match(text);
    if (found === undefined) return Optional.none;
    if (regex.groupCount === 0) return new Optional(found[0] ?? "");
    return found[1] === undefined || found[1] === "" ? Optional.none : new Optional(found[1]);
  });
}

function extractAll(text: string, pattern: string): Value {
  return withOneGroup(pattern, (regex) => {
    const found = regex.matchAll(text);
    if (regex.groupCount === 0) return found.map((groups) => groups[0] ?? "");
    return found.map((groups) => groups[1] ?? "").filter((group) => group !== "");
  });
}

/** A replacement in which `\0` to `\9` stand for groups and `\\` for a backslash. */
function expand(replacement: string, groups: readonly (string | undefined)[]): string | CelError {
  let result = "";
  const chars = Array.from(replacement);
  for (let i = 0; i < chars.length; i++) {
    const char = chars[i];
    if (char !== "\\") {
      result += char;
      continue;
    }
    const next = chars[++i];
    if (next === undefined) return new CelError(`invalid replacement string: '${replacement}' \\ not allowed at end`);
    if (next === "\\") result += "\\";
    else if (!/^\d$/.test(next)) {
      return new CelError(`invalid replacement string: '${replacement}' \\ must be followed by a digit or \\`);
    } else if (Number(next) >= groups.length) {
      return new CelError(`replacement string references group ${next} but regex has only ${groups.length - 1} group(s)`);
    } else result += groups[Number(next)] ?? "";
  }
  return result;
}

function replace(text: string, pattern: string, replacement: string, limit: Int): Value {
  if (limit === 0) return text;
  if (limit > 2 ** 31 - 1) return new CelError("integer overflow");
  return withPattern(pattern, "", (regex) => {
    let error: CelError | undefined;
    const result = regex.replaceEach(text, limit < 0 ? -1 : Number(limit), (groups) => {
      const expanded = expand(replacement, groups);
      if (typeof expanded === "string") return expanded;
      error ??= expanded;
      return "";
    });
    return error ?? result;
  });
}

/** cel-go's `regex.*` functions. */
export const regexLibrary: Library = {
  name: "cel.lib.ext.regex",
  functions: [
    {
      name: "regex.extract",
      overloads: [overload("regex_extract_string_string", [stringType, stringType], optionalOf(stringType), extract)],
    },
    {
      name: "regex.extractAll",
      overloads: [overload("regex_extractAll_string_string", [stringType, stringType], listOf(stringType), extractAll)],
    },
    {
      name: "regex.replace",
      overloads: [
        overload("regex_replace_string_string_string", [stringType, stringType, stringType], stringType, (text, pattern, by) =>
          replace(text, pattern, by, -1),
        ),
        overload("regex_replace_string_string_string_int", [stringType, stringType, stringType, int], stringType, replace),
      ],
    },
  ],
};
