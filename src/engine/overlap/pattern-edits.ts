import { isArray, isObject, type JsonPath, type JsonValue } from "../../core/json.ts";
import { parseAnchor } from "../../policies/kyverno/anchor.ts";
import { compileValuePattern } from "../../policies/kyverno/value-pattern.ts";
import type { Edit } from "./edit.ts";

/** What one field of a pattern may be set to: something it accepts, something it refuses. */
interface Leaf {
  readonly path: JsonPath;
  readonly accepted: JsonValue | undefined;
  /** Other values that are accepted, too: where two patterns meet, one of them may fit both. */
  readonly others: readonly JsonValue[];
  readonly refused: readonly (JsonValue | undefined)[];
}

/**
 * Edits that a pattern suggests: first one that satisfies every field, then for each field some that change it alone.
 * They are suggestions: what a rule says of the edited object is found out by asking it.
 */
export function patternEdits(pattern: JsonValue): readonly (readonly Edit[])[] {
  const found: Leaf[] = [];
  leaves(pattern, [], found);
  const good = found.map(({ path, accepted }): Edit => ({ path, value: accepted }));
  const bad = found.flatMap(({ path, refused, others }) =>
    [...refused, ...others].map((value): readonly Edit[] => [...good, { path, value }]),
  );
  return found.length === 0 ? [] : [good, ...bad];
}

function leaves(pattern: JsonValue, path: JsonPath, found: Leaf[]): void {
  if (isArray(pattern)) for (const [i, item] of pattern.entries()) leaves(item, [...path, i], found);
  else if (isObject(pattern)) {
    for (const [written, value] of Object.entries(pattern)) {
      const anchor = parseAnchor(written);
      const at = [...path, filled(anchor?.key ?? written)];
      if (anchor?.kind === "negation") found.push({ path: at, accepted: undefined, others: [], refused: [{}, "x"] });
      else leaves(value ?? null, at, found);
    }
  } else found.push(scalarLeaf(pattern, path));
}

const maxOthers = 4;

function scalarLeaf(pattern: JsonValue, path: JsonPath): Leaf {
  const accepts = compileValuePattern(pattern);
  const values = scalarValues(pattern);
  const [accepted, ...others] = values.filter((v) => accepts(v));
  const refused = values.find((v) => !accepts(v));
  return {
    path,
    accepted,
    others: others.slice(0, maxOthers),
    refused: refused === undefined ? [undefined] : [refused, undefined],
  };
}

/** Values near a pattern, those that it names first. */
export function scalarValues(pattern: JsonValue): readonly JsonValue[] {
  if (typeof pattern === "boolean") return [pattern, !pattern];
  if (typeof pattern === "number") return [pattern, pattern + 1];
  if (typeof pattern !== "string") return [null, "x"];
  const named = pattern.split(/[|&]/).map((part) => filled(part.trim().replace(/^(>=|<=|>|<|!)\s*/, "")));
  const bounds = named.flatMap((text) => text.split(/!?-(?=\d)/)).filter((text) => /^-?\d/.test(text));
  const numbers = bounds.flatMap((text) => nearNumbers(text));
  const flags = named.flatMap((text) => (text === "true" ? [true, false] : text === "false" ? [false, true] : []));
  return [...flags, ...numbers, ...named, "x", "", 1];
}

/** Below, at and above a number or quantity; a number itself where the text is one. */
function nearNumbers(text: string): readonly JsonValue[] {
  const parts = /^(-?\d+)(\D*)$/.exec(text);
  if (parts === null) return [text];
  const n = Number(parts[1]);
  const unit = parts[2] ?? "";
  return [n, n - 1, n + 1].map((value) => (unit === "" ? value : `${value}${unit}`));
}

/** A text that fits a wildcard text. */
export function filled(text: string): string {
  return text.replaceAll("*", "x").replaceAll("?", "x");
}
