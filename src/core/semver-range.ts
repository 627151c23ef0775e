import { compareSemver, parseSemver, type SemanticVersion } from "./semver.ts";

export type SemverRange = (version: SemanticVersion) => boolean;
export type SemverRangeResult =
  | { readonly ok: true; readonly value: SemverRange }
  | { readonly ok: false; readonly message: string };

const comparators: { readonly [operator: string]: (order: number) => boolean } = {
  "": (order) => order === 0,
  "=": (order) => order === 0,
  "==": (order) => order === 0,
  "!": (order) => order !== 0,
  "!=": (order) => order !== 0,
  ">": (order) => order > 0,
  ">=": (order) => order >= 0,
  "<": (order) => order < 0,
  "<=": (order) => order <= 0,
};

/**
 * Reads a range as github.com/blang/semver/v4 does (Kyverno's `semver_compare`): comparisons side by side are ANDed,
 * `||` is OR, `x` stands for any minor or patch number.
 */
export function parseSemverRange(text: string): SemverRangeResult {
  const alternatives: SemverRange[][] = [[]];
  const words = splitWords(text);
  if (words.length === 0 || words.at(-1) === "||") return { ok: false, message: "Last element in range is '||'" };
  if (words[0] === "||") return { ok: false, message: "First element in range is '||'" };
  for (const word of words) {
    if (word === "||") {
      alternatives.push([]);
      continue;
    }
    const split = /^(\D*)(\d.*)$/s.exec(word);
    if (split === null) return { ok: false, message: `Could not get version from string: ${JSON.stringify(word)}` };
    const [, operator = "", version = ""] = split;
    for (const [op, v] of expandWildcard(operator, version)) {
      const accepts = Object.hasOwn(comparators, op) ? comparators[op] : undefined;
      const bound = parseSemver(v);
      if (accepts === undefined || bound === undefined) {
        return { ok: false, message: `Could not parse Range ${JSON.stringify(op + v)}` };
      }
      alternatives.at(-1)?.push((candidate) => accepts(compareSemver(candidate, bound)));
    }
  }
  // An empty alternative (`1.0.0 || || 2.0.0`) has no function to call in the original either.
  if (alternatives.some((all) => all.length === 0)) return { ok: false, message: "Empty element in range" };
  return { ok: true, value: (version) => alternatives.some((all) => all.every((accepts) => accepts(version))) };
}

/** Words are split at spaces, except after `>`, `<`, `=`; words of one character are dropped, as the original does. */
function splitWords(text: string): string[] {
  const words: string[] = [];
  let from = 0;
  let previous = "";
  for (let i = 0; i < text.length; i++) {
    const c = text.charAt(i);
    if (c !== " ") previous = c;
    else if (!["<", ">", "="].includes(previous)) {
      if (from < i - 1) words.push(text.slice(from, i));
      from = i + 1;
    }
  }
  if (from < text.length - 1) words.push(text.slice(from));
  return words.map((word) => word.replaceAll(" ", ""));
}

/** `1.2.x` to the comparisons it stands for; a version without `x` stays as it is. */
function expandWildcard(operator: string, version: string): readonly (readonly [string, string])[] {
  if (!version.includes("x") && !operator.includes("x")) return [[operator, version]];
  const flat = flatten(version);
  const above = nextAfter(version, flat);
  switch (operator) {
    case ">":
      return [[">=", above]];
    case ">=":
      return [[">=", flat]];
    case "<":
      return [["<", flat]];
    case "<=":
      return [["<", above]];
    case "":
    case "=":
    case "==":
      return [
        [">=", flat],
        ["<", above],
      ];
    case "!":
    case "!=":
      return [
        ["<", flat],
        [">=", above],
      ];
    default:
      return [["", flat]];
  }
}

function flatten(version: string): string {
  const flat = version.replace(".x.x", ".x").replace(".x", ".0");
  return flat.split(".").length === 2 ? `${flat}.0` : flat;
}

/** The first version above all that `version` stands for; empty where it ends in no wildcard. */
function nextAfter(version: string, flat: string): string {
  const places = version.split(".");
  if (places.at(-1) !== "x") return "";
  const parts = flat.split(".");
  const place = places.length === 3 ? 1 : places.length === 2 ? 0 : -1;
  const digits = parts[place];
  if (digits === undefined || !/^\d+$/.test(digits)) return "";
  return parts.map((part, i) => (i === place ? String(BigInt(digits) + 1n) : part)).join(".");
}
