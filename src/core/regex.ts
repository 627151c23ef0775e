import { RE2JS, RE2JSException } from "re2js";
import { remembered } from "./remembered.ts";

/** A compiled RE2 expression: linear time, Go's syntax and replacement rules. */
export interface Regex {
  readonly source: string;
  /** Whether the expression matches anywhere in `text`. */
  test(text: string): boolean;
  /** The groups of the first match (0 is the whole match; undefined: group took no part), or undefined. */
  match(text: string): readonly (string | undefined)[] | undefined;
  /** The groups of each match, as Go's FindAllStringSubmatch; at most `limit`, all where that is negative. */
  matchAll(text: string, limit?: number): readonly (readonly (string | undefined)[])[];
  /** Where each match begins and ends, in UTF-16 units. */
  spans(text: string): readonly { readonly start: number; readonly end: number }[];
  /** How many groups the expression has, the whole match not counted. */
  readonly groupCount: number;
  /** Every match replaced by `template`, in which `$1`, `${1}` and `${name}` stand for groups (Go's Regexp.Expand). */
  replaceAll(text: string, template: string): string;
  /** Every match replaced by `replacement` as it is. */
  replaceAllLiteral(text: string, replacement: string): string;
  /** The first `limit` matches (all where that is negative) replaced by what `replacement` makes of their groups. */
  replaceEach(text: string, limit: number, replacement: (groups: readonly (string | undefined)[]) => string): string;
}

export type RegexResult = { readonly ok: true; readonly value: Regex } | { readonly ok: false; readonly message: string };

/** Compiles Go regular expression syntax; results are cached. The message of a failure is Go's. */
export const compileRegex: (source: string) => RegexResult = remembered(2000, compile);

/** The expression that matches the text itself: Go's QuoteMeta. */
export const escapeRegex = (text: string): string => text.replace(/[\\.+*?()|[\]{}^$]/g, "\\$&");

function compile(source: string): RegexResult {
  try {
    return { ok: true, value: new Re2Regex(source, RE2JS.compile(source)) };
  } catch (error) {
    if (error instanceof RE2JSException) return { ok: false, message: error.message };
    throw error;
  }
}

type Replacement = (groups: readonly (string | undefined)[]) => string;

class Re2Regex implements Regex {
  readonly source: string;
  readonly #program: RE2JS;

  constructor(source: string, program: RE2JS) {
    this.source = source;
    this.#program = program;
  }

  test(text: string): boolean {
    return this.#program.test(text);
  }

  match(text: string): readonly (string | undefined)[] | undefined {
    const matcher = this.#program.matcher(text);
    return matcher.find() ? this.#groups(matcher) : undefined;
  }

  matchAll(text: string, limit = -1): readonly (readonly (string | undefined)[])[] {
    const found: (readonly (string | undefined)[])[] = [];
    if (limit !== 0) this.#eachMatch(text, (groups) => found.push(groups) !== limit);
    return found;
  }

  spans(text: string): readonly { readonly start: number; readonly end: number }[] {
    const found: { readonly start: number; readonly end: number }[] = [];
    this.#eachMatch(text, (_, start, end) => found.push({ start, end }) > 0);
    return found;
  }

  get groupCount(): number {
    return this.#program.groupCount();
  }

  replaceAll(text: string, template: string): string {
    return this.#replace(text, compileTemplate(template, this.#program.namedGroups()));
  }

  replaceAllLiteral(text: string, replacement: string): string {
    return this.#replace(text, () => replacement);
  }

  replaceEach(text: string, limit: number, replacement: Replacement): string {
    return limit === 0 ? text : this.#replace(text, replacement, limit);
  }

  #groups(matcher: ReturnType<RE2JS["matcher"]>): (string | undefined)[] {
    return Array.from({ length: this.#program.groupCount() + 1 }, (_, i) => matcher.group(i) ?? undefined);
  }

  /** Calls `visit` for each match until it answers false. */
  #eachMatch(text: string, visit: (groups: (string | undefined)[], start: number, end: number) => boolean): void {
    const matcher = this.#program.matcher(text);
    let previousEnd = -1;
    while (matcher.find()) {
      const start = matcher.start();
      const end = matcher.end();
      // Go leaves out an empty match that touches the match before it.
      if (start === end && start === previousEnd) continue;
      previousEnd = end;
      if (!visit(this.#groups(matcher), start, end)) return;
    }
  }

  #replace(text: string, replacement: Replacement, limit = -1): string {
    let result = "";
    let copied = 0;
    let replaced = 0;
    this.#eachMatch(text, (groups, start, end) => {
      result += text.slice(copied, start) + replacement(groups);
      copied = end;
      return ++replaced !== limit;
    });
    return result + text.slice(copied);
  }
}

/** Go's replacement template: the longest run of word characters after `$` names the group; unknown groups are empty. */
function compileTemplate(template: string, names: { readonly [name: string]: number }): Replacement {
  if (!template.includes("$")) return () => template;
  const parts: (string | number)[] = [];
  let rest = template;
  for (;;) {
    const dollar = rest.indexOf("$");
    if (dollar < 0) break;
    parts.push(rest.slice(0, dollar));
    rest = rest.slice(dollar + 1);
    const reference = /^(?:([\p{L}\p{Nd}_]+)|\{([\p{L}\p{Nd}_]+)\})/u.exec(rest);
    const name = reference?.[1] ?? reference?.[2];
    if (rest.startsWith("$")) {
      parts.push("$");
      rest = rest.slice(1);
    } else if (reference === null || name === undefined) {
      parts.push("$");
    } else {
      rest = rest.slice(reference[0].length);
      const group = /^\d+$/.test(name) ? Number(name) : Object.hasOwn(names, name) ? names[name] : undefined;
      if (group !== undefined) parts.push(group);
    }
  }
  parts.push(rest);
  return (groups) => parts.map((part) => (typeof part === "string" ? part : (groups[part] ?? ""))).join("");
}
