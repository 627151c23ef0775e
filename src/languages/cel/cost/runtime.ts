import { mapSize } from "../values/containers.ts";
import { codePointCount } from "../values/text.ts";
import { Boxed, isPlainObject, Optional, type Value } from "../values/value.ts";
import { baseCosts } from "./model.ts";

/** Code points of a string, bytes, elements, entries; 1 for everything without a size. */
export function sizeOf(value: Value | undefined): number {
  if (typeof value === "string") return codePointCount(value);
  if (value === undefined || value === null || typeof value !== "object") return 1;
  if (Array.isArray(value)) return value.length;
  if (value instanceof Optional) return value.value === undefined ? 1 : sizeOf(value.value);
  if (value instanceof Boxed) return value.size ?? 1;
  return isPlainObject(value) ? mapSize(value) : 1;
}

/** The cost of walking through `size` characters. */
export function traversal(size: number): number {
  return Math.ceil(size * baseCosts.stringTraversal);
}

/** The cost of matching a string of `size` characters against a pattern of `length`. */
export function matching(size: number, length: number): number {
  // One is added so that an empty string does not make an expensive pattern free.
  return traversal(size + 1) * Math.ceil(length * baseCosts.regexLength);
}

/** The cost of comparing two values. */
export function comparison(a: Value | undefined, b: Value | undefined): number {
  return traversal(Math.min(sizeOf(a), sizeOf(b)));
}

type ArgsCost = (args: readonly Value[]) => number;

const compare: ArgsCost = ([a, b]) => comparison(a, b);
const walkFirst: ArgsCost = ([a]) => traversal(sizeOf(a));

/** Overloads whose cost depends on their arguments; all others cost 1. */
const byOverload = new Map<string, ArgsCost>([
  ...[
    ...["less", "less_equals", "greater", "greater_equals"].flatMap((name) => [`${name}_string`, `${name}_bytes`]),
    "equals",
    "not_equals",
  ].map((id) => [id, compare] as const),
  ...["string_to_bytes", "bytes_to_string", "strings_quote", "string_format"].map((id) => [id, walkFirst] as const),
  ["in_list", ([, list]) => sizeOf(list)],
  ["add_string", ([a, b]) => traversal(sizeOf(a) + sizeOf(b))],
  ["add_bytes", ([a, b]) => traversal(sizeOf(a) + sizeOf(b))],
  ["matches_string", ([text, pattern]) => matching(sizeOf(text), sizeOf(pattern))],
  ["contains_string", ([text, part]) => traversal(sizeOf(text)) * traversal(sizeOf(part))],
]);

/** What differs between releases of cel-go. */
export interface CostRules {
  /** `startsWith` and `endsWith` cost by the affix (cel-go 0.27 and later), not by the text. */
  readonly affixByArgument: boolean;
}

/** The cost of a call by the general rules; `overload` is empty where it is only resolved at run time. */
export function generalCost(overload: string, rules: CostRules): ArgsCost | 1 {
  if (overload === "starts_with_string" || overload === "ends_with_string") {
    return rules.affixByArgument ? ([, affix]) => traversal(sizeOf(affix)) : walkFirst;
  }
  if (overload === "matches") return rules.affixByArgument ? (byOverload.get("matches_string") ?? 1) : 1;
  return byOverload.get(overload) ?? 1;
}
