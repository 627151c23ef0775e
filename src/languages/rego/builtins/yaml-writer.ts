import { isOldBoolean, resolvePlain } from "../../../core/yaml/scalars.ts";
import { formatFloat } from "../values/go-float.ts";
import { jsonMembers } from "../values/json.ts";
import { floatOf, integerOf, isNumber, type NumberValue, numberText } from "../values/number.ts";
import { RegoObject, RegoSet, type Value } from "../values/value.ts";

/** A value as go-yaml v3 writes it: block style, two spaces, keys in natural order. */
export function writeYaml(value: Value): string {
  return `${node(value, 0)}\n`.replace(/^\n/, "").replace(/\n\n$/, "\n");
}

const isList = (value: Value): value is readonly Value[] => Array.isArray(value);

/** What follows `- ` or `key:`; collections begin on a line of their own where they hang below a key. */
function node(value: Value, depth: number): string {
  const lines = collection(value, depth);
  return lines === undefined ? scalar(value, depth) : lines.join("\n");
}

/** The lines of a collection that is not empty, indented but for the first. */
function collection(value: Value, depth: number): readonly string[] | undefined {
  const indent = "  ".repeat(depth);
  if (value instanceof RegoObject && value.size > 0) {
    const members = [...jsonMembers(value)].sort(([a], [b]) => (a === b ? 0 : naturalLess(a, b) ? -1 : 1));
    return members.map(([key, member], i) => (i === 0 ? "" : indent) + memberText(key, member, depth));
  }
  const items = value instanceof RegoSet ? value.sorted() : isList(value) ? value : [];
  if (items.length === 0) return undefined;
  return items.map((item, i) => `${i === 0 ? "" : indent}- ${node(item, depth + 1)}`);
}

function memberText(key: string, value: Value, depth: number): string {
  const indent = "  ".repeat(depth);
  const name = text(key, depth, 1);
  // A key of several lines stands by itself.
  if (name.includes("\n")) return `? ${name}\n${indent}: ${node(value, depth + 1)}`;
  const below = collection(value, depth + 1);
  return below === undefined ? `${name}: ${scalar(value, depth + 1)}` : `${name}:\n${indent}  ${below.join("\n")}`;
}

function scalar(value: Value, depth: number): string {
  if (value === null) return "null";
  if (typeof value === "boolean") return String(value);
  if (isNumber(value)) return numeral(value);
  if (typeof value === "string") return text(value, depth, 0);
  return value instanceof RegoObject ? "{}" : "[]";
}

/** Integers of 64 bits as they are; everything else is a float64 by then. */
function numeral(value: NumberValue): string {
  const integer = /^-?\d+$/.test(numberText(value)) ? integerOf(value) : undefined;
  if (integer !== undefined && integer >= -(1n << 63n) && integer < 1n << 64n) return String(integer);
  return formatFloat(floatOf(value), "g", undefined);
}

const base60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;
const timestamp = /^\d{4}-\d{1,2}-\d{1,2}(?:(?:[Tt]|[ \t]+)\d{1,2}:\d{2}:\d{2}(?:\.\d*)?[ \t]*(?:Z|[-+]\d{1,2}(?::\d{2})?)?)?$/;

/** Whether the text would be read as something else, or as another text by older readers. */
function misreads(value: string): boolean {
  return (
    resolvePlain(value) !== value ||
    isOldBoolean(value) ||
    base60.test(value) ||
    timestamp.test(value) ||
    value === "<<" ||
    value === "="
  );
}

/** `extra`: how many levels deeper than `depth` the lines of a block stand. */
function text(value: string, depth: number, extra: number): string {
  if (value.includes("\n") && canBeBlock(value)) return block(value, depth + extra);
  if (misreads(value) || value.includes("\n")) return doubleQuoted(value);
  if (canBePlain(value)) return value;
  return hasSpecial(value) || value.includes("\t") ? doubleQuoted(value) : `'${value.replaceAll("'", "''")}'`;
}

const hasSpecial = (value: string): boolean => /[^\t\n\x20-\x7e\u0085\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd]/u.test(value);

function canBeBlock(value: string): boolean {
  return !hasSpecial(value) && !/ \n| $/.test(value);
}

function canBePlain(value: string): boolean {
  if (hasSpecial(value) || /^\s|\s$|\t/.test(value)) return false;
  if (/^(?:[-?:](?:\s|$)|[,[\]{}#&*!|>'"%@`]|---|\.\.\.)/.test(value)) return false;
  return !/:(?:\s|$)|\s#/.test(value);
}

function block(value: string, depth: number): string {
  const hint = /^[ \n]/.test(value) ? "2" : "";
  const chomp = value.endsWith("\n\n") || value === "\n" ? "+" : value.endsWith("\n") ? "" : "-";
  const indent = "  ".repeat(Math.max(1, depth));
  const lines = (chomp === "-" ? value : value.slice(0, -1)).split("\n");
  return `|${hint}${chomp}\n${lines.map((line) => (line === "" ? "" : indent + line)).join("\n")}`;
}

const short = new Map([
  ["\0", "\\0"],
  ["\x07", "\\a"],
  ["\b", "\\b"],
  ["\t", "\\t"],
  ["\n", "\\n"],
  ["\v", "\\v"],
  ["\f", "\\f"],
  ["\r", "\\r"],
  ["\x1b", "\\e"],
  ['"', '\\"'],
  ["\\", "\\\\"],
  ["\u0085", "\\N"],
  ["\u00a0", "\\_"],
  ["\u2028", "\\L"],
  ["\u2029", "\\P"],
]);

function doubleQuoted(value: string): string {
  const escaped = Array.from(value, (char) => {
    const known = short.get(char);
    if (known !== undefined) return known;
    if (!hasSpecial(char) && char !== "\ufeff") return char;
    const code = char.codePointAt(0) ?? 0;
    const digits = code.toString(16).toUpperCase();
    return code < 0x100
      ? `\\x${digits.padStart(2, "0")}`
      : code < 0x10000
        ? `\\u${digits.padStart(4, "0")}`
        : `\\U${digits.padStart(8, "0")}`;
  });
  return `"${escaped.join("")}"`;
}

const isDigit = (char: string): boolean => /^\p{Nd}$/u.test(char);
const isLetter = (char: string): boolean => /^\p{L}$/u.test(char);

/** Natural order: runs of digits by their number, letters before other characters after a digit. */
function naturalLess(a: string, b: string): boolean {
  const left = Array.from(a);
  const right = Array.from(b);
  let afterDigit = false;
  for (let i = 0; i < left.length && i < right.length; i++) {
    const x = left[i] ?? "";
    const y = right[i] ?? "";
    if (x === y) {
      afterDigit = isDigit(x);
      continue;
    }
    const xLetter = isLetter(x);
    const yLetter = isLetter(y);
    if (xLetter && yLetter) return x < y;
    if (xLetter || yLetter) return afterDigit ? xLetter : yLetter;
    const [xNumber, xLength] = numberAt(left, i);
    const [yNumber, yLength] = numberAt(right, i);
    if (xNumber !== yNumber) return xNumber < yNumber;
    return xLength === yLength ? x < y : xLength < yLength;
  }
  return left.length < right.length;
}

function numberAt(chars: readonly string[], at: number): readonly [value: number, length: number] {
  let end = at;
  while (end < chars.length && isDigit(chars[end] ?? "")) end++;
  return [Number(chars.slice(at, end).join("")), end - at];
}
