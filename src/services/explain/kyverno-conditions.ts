import { isArray, isObject, type JsonValue, member } from "../../core/json.ts";
import { andList } from "./explanation.ts";

const operatorWords: { readonly [operator: string]: string } = {
  equal: "equals",
  equals: "equals",
  notequal: "does not equal",
  notequals: "does not equal",
  in: "is among",
  anyin: "has any of",
  allin: "has only",
  notin: "is not among",
  anynotin: "has anything but",
  allnotin: "has none of",
  greaterthan: "is over",
  greaterthanorequals: "is at least",
  lessthan: "is under",
  lessthanorequals: "is at most",
  durationgreaterthan: "is longer than",
  durationgreaterthanorequals: "is at least as long as",
  durationlessthan: "is shorter than",
  durationlessthanorequals: "is at most as long as",
};

/** `preconditions`, `conditions` and the like in words: `{any, all}`, or the old list, of which all must hold. */
export function conditionTexts(conditions: JsonValue | undefined): readonly string[] {
  if (isArray(conditions))
    return conditions.flatMap((c) => (isObject(c) && ("any" in c || "all" in c) ? conditionTexts(c) : [conditionText(c)]));
  const group = (key: "any" | "all", lead: string): readonly string[] => {
    const list = member(conditions, key);
    if (!isArray(list) || list.length === 0) return [];
    return list.length === 1 ? list.map(conditionText) : [`${lead} ${list.map(conditionText).join("; ")}`];
  };
  return [...group("any", "any of:"), ...group("all", "all of:")];
}

function conditionText(condition: JsonValue): string {
  const operator = String(member(condition, "operator") ?? "");
  const words = operatorWords[operator.toLowerCase()] ?? operator;
  return `${expressionText(member(condition, "key"))} ${words} ${expressionText(member(condition, "value"))}`;
}

/** Variables without their braces, so that a condition reads as a sentence; everything else as JSON. */
export function expressionText(value: JsonValue | undefined): string {
  if (value === undefined) return "nothing";
  if (isArray(value)) return value.length === 0 ? "an empty list" : andList(value.map(expressionText));
  if (typeof value !== "string") return isObject(value) ? JSON.stringify(value) : String(value);
  const variable = /^\{\{-?\s*([^{}]*?)\s*\}\}$/.exec(value.trim());
  if (variable !== null) return `\`${variable[1]}\``;
  return value === "" ? "an empty text" : `"${value}"`;
}
