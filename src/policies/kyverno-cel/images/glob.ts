import { escapeRegex } from "../../../core/regex.ts";

/** A glob as a regular expression, or why it is none. */
export type GlobResult = { readonly ok: true; readonly source: string } | { readonly ok: false; readonly message: string };

/** Reads a character class: `[abc]`, `[a-z]`, `[!a-z]`. */
function characterClass(glob: string, start: number): { readonly source: string; readonly end: number } | undefined {
  const end = glob.indexOf("]", start + 2);
  if (end < 0) return undefined;
  const body = glob.slice(start + 1, end);
  const negated = body.startsWith("!");
  const members = (negated ? body.slice(1) : body).replace(/[\\\][^]/g, "\\$&");
  return members === "" ? undefined : { source: `[${negated ? "^" : ""}${members}]`, end };
}

/**
 * Image globs as Kyverno reads them: `*` and `**` are any run of characters, slashes too, `?` is one character;
 * `[abc]`, `[!abc]`, `{one,other}`, and `\` takes the next character as it is.
 */
export function globSource(glob: string): GlobResult {
  let source = "";
  let depth = 0;
  for (let i = 0; i < glob.length; i++) {
    const c = glob[i] ?? "";
    if (c === "*") source += "(?s:.*)";
    else if (c === "?") source += "(?s:.)";
    else if (c === "\\") source += escapeRegex(glob[++i] ?? "");
    else if (c === "[") {
      const found = characterClass(glob, i);
      if (found === undefined) return { ok: false, message: "a character class is not closed" };
      source += found.source;
      i = found.end;
    } else if (c === "{") {
      depth++;
      source += "(?:";
    } else if (c === "}" && depth > 0) {
      depth--;
      source += ")";
    } else if (c === "," && depth > 0) source += "|";
    else source += escapeRegex(c);
  }
  return depth === 0 ? { ok: true, source: `^${source}$` } : { ok: false, message: "a brace is not closed" };
}
