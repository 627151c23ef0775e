import { isArray, isObject, type JsonPath, type JsonValue } from "../../core/json.ts";
import type { Edit } from "./edit.ts";
import { scalarValues } from "./pattern-edits.ts";

/** Beyond these a rule has more alternatives than are worth trying. */
const maxPaths = 12;
const maxValues = 8;

const member = String.raw`(?:\.(?:\w+|"[^"]+")|\[(?:\d*|\*|'[^']*'|"[^"]*")\])`;
const objectPath = new RegExp(String.raw`\b(?:request\.)?object(${member}+)`, "g");
const elementPath = new RegExp(String.raw`\belement(${member}+)`, "g");
const literal = /'([^']*)'|`([^`]*)`|"([^"]*)"|\b(\d+)\b|\b(true|false)\b/g;

/**
 * Edits that expressions suggest (JMESPath or CEL, wherever they stand in a rule): every field of the object that they
 * read, with every literal that they hold, and without a value. Found by their looks, so that no language is parsed twice.
 */
export function expressionEdits(rule: JsonValue): readonly (readonly Edit[])[] {
  const texts = [...strings(rule)];
  const paths = [...new Map(texts.flatMap((t) => pathsIn(t, texts)).map((p) => [JSON.stringify(p), p])).values()].slice(
    0,
    maxPaths,
  );
  const values = [...new Set(texts.flatMap(literalsIn))].slice(0, maxValues);
  return paths.flatMap((path) => [...values.map((value) => [{ path, value }]), [{ path, value: undefined }]]);
}

function* strings(value: JsonValue | undefined): Generator<string> {
  if (typeof value === "string") yield value;
  else if (isArray(value)) for (const item of value) yield* strings(item);
  else if (isObject(value)) for (const item of Object.values(value)) yield* strings(item);
}

/** Paths of the object that an expression reads. */
export function objectPaths(text: string): readonly JsonPath[] {
  return [...text.matchAll(objectPath)].map((m) => steps(m[1] ?? ""));
}

/** Paths of the object; those of a loop's element below every list that is looped over. */
function pathsIn(text: string, all: readonly string[]): readonly JsonPath[] {
  const own = objectPaths(text);
  const inner = [...text.matchAll(elementPath)].map((m) => steps(m[1] ?? ""));
  if (inner.length === 0) return own;
  const lists = all.flatMap(objectPaths).filter((p) => typeof p.at(-1) === "number" || p.at(-1) === "containers");
  const below = lists.length > 0 ? lists : [["spec", "containers"]];
  return [...own, ...below.flatMap((list) => inner.map((p) => [...list, ...(typeof list.at(-1) === "number" ? [] : [0]), ...p]))];
}

/** `.spec.containers[].image` as steps; projections and indexes mean the first item. */
function steps(text: string): JsonPath {
  return [...text.matchAll(/\.(\w+)|\."([^"]+)"|\[['"]([^'"]*)['"]\]|\[(\d*|\*)\]/g)].map((m) => m[1] ?? m[2] ?? m[3] ?? 0);
}

function literalsIn(text: string): readonly JsonValue[] {
  const found = [...text.matchAll(literal)].flatMap((m): readonly JsonValue[] => {
    if (m[4] !== undefined) return [Number(m[4])];
    if (m[5] !== undefined) return [m[5] === "true"];
    return [m[1] ?? m[2] ?? m[3] ?? ""];
  });
  const whole = text.includes("{{") || text.includes(".") ? [] : scalarValues(text);
  return [...whole, ...found];
}
