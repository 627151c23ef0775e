import { escapeRegex } from "../../core/regex.ts";

/** A CEL expression while it is written: how tightly it binds decides where it needs parentheses. */
export interface CelText {
  readonly text: string;
  readonly level: Level;
}

/** From loose to tight. */
const levels = ["ternary", "or", "and", "relation", "unary", "primary"] as const;
type Level = (typeof levels)[number];

/** Thrown where the meaning cannot be kept: the message says what stands in the way. */
export class NotConvertible extends Error {}

export const primary = (text: string): CelText => ({ text, level: "primary" });
export const relation = (text: string): CelText => ({ text, level: "relation" });
export const always = primary("true");
export const never = primary("false");

/** The text of an expression as a part of one that binds as `level`. */
function within(cel: CelText, level: Level): string {
  return levels.indexOf(cel.level) < levels.indexOf(level) ? `(${cel.text})` : cel.text;
}

function joined(parts: readonly CelText[], level: "and" | "or", neutral: CelText, absorbing: CelText): CelText {
  const told = parts.filter((part) => part.text !== neutral.text);
  if (told.some((part) => part.text === absorbing.text)) return absorbing;
  const distinct = [...new Map(told.map((part) => [part.text, part])).values()];
  const [only, second] = distinct;
  if (only === undefined) return neutral;
  if (second === undefined) return only;
  const operator = level === "and" ? " && " : " || ";
  return { text: distinct.map((part) => within(part, level)).join(operator), level };
}

export const allOf = (...parts: readonly CelText[]): CelText => joined(parts, "and", always, never);
export const anyOf = (...parts: readonly CelText[]): CelText => joined(parts, "or", never, always);

export function not(cel: CelText): CelText {
  if (cel.text === "true") return never;
  if (cel.text === "false") return always;
  const opposite = opposites.find(([sign]) => cel.level === "relation" && isPlainRelation(cel.text, sign));
  if (opposite !== undefined) return relation(cel.text.replace(opposite[0], opposite[1]));
  return cel.text.startsWith("!") && cel.level === "unary"
    ? primary(cel.text.slice(1))
    : { text: `!${within(cel, "unary")}`, level: "unary" };
}

const opposites = [
  [" == ", " != "],
  [" != ", " == "],
] as const;

/** Whether the text is one comparison by this sign; quoted texts may hold anything, so they must not hold the sign. */
function isPlainRelation(text: string, sign: string): boolean {
  return text.split(sign).length === 2;
}

/** A text as a literal. */
export function quoted(text: string): string {
  const escaped = text
    .replaceAll("\\", "\\\\")
    .replaceAll("'", "\\'")
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r")
    .replaceAll("\t", "\\t");
  return `'${escaped}'`;
}

const identifier = /^[A-Za-z_]\w*$/;
/** Words that are no names of members after a dot. */
const words = new Set(["in", "true", "false", "null"]);

/** Whether a name can stand after a dot. */
export const isMemberName = (name: string): boolean => identifier.test(name) && !words.has(name);

/** A member of a value that has it. */
export function memberOf(value: string, name: string): string {
  return isMemberName(name) ? `${value}.${name}` : `${value}[${quoted(name)}]`;
}

/** Whether a map has a member. */
export function hasMember(value: string, name: string): CelText {
  return isMemberName(name) ? primary(`has(${value}.${name})`) : relation(`${quoted(name)} in ${value}`);
}

/** A member as an optional. */
export function optionalMember(value: string, name: string): string {
  return isMemberName(name) ? `${value}.?${name}` : `${value}[?${quoted(name)}]`;
}

/** Whether a text fits Kyverno's wildcards `*` and `?`, in the plainest form that says so. */
export function fitsWildcard(value: string, pattern: string): CelText {
  const inner = pattern.replace(/^\*+|\*+$/g, "");
  if (pattern !== "" && /^\*+$/.test(pattern)) return always;
  if (pattern === "?*" || pattern === "*?") return relation(`${value} != ''`);
  if (/[*?]/.test(inner) || pattern.includes("?")) {
    const source = escapeRegex(pattern).replaceAll("\\*", ".*").replaceAll("\\?", ".");
    return primary(`${value}.matches(${quoted(`(?s)^${source}$`)})`);
  }
  const starts = pattern.startsWith("*");
  const ends = pattern.endsWith("*");
  if (starts && ends) return primary(`${value}.contains(${quoted(inner)})`);
  if (ends) return primary(`${value}.startsWith(${quoted(inner)})`);
  if (starts) return primary(`${value}.endsWith(${quoted(inner)})`);
  return relation(`${value} == ${quoted(pattern)}`);
}
