import { isArray, isObject, type JsonValue } from "../../core/json.ts";
import { joinPath } from "../../core/slash-path.ts";
import { removeAnchors } from "./anchor.ts";
import { operatorOf } from "./string-pattern.ts";

export type ReferenceResult = { readonly ok: true; readonly value: JsonValue } | { readonly ok: false; readonly message: string };

const reference = /^\$\(.[^ ]*\)|[^\\]\$\(.[^ ]*\)/gs;
const escaped = /\\\$\(.[^ )]*\)/gs;

/** Thrown inside this file only. */
class UnresolvedReference extends Error {}

/**
 * Replaces the references of a document: `$(./../path)` and `$(/absolute/path)` stand for a text elsewhere in it, anchors
 * left out of the path; an operator may come first, `$(<=./../limit)`. `\$(` stands for `$(`.
 */
export function resolveReferences(document: JsonValue): ReferenceResult {
  if (!mentionsReference(document)) return { ok: true, value: document };
  try {
    return { ok: true, value: replaceIn(document, "", leavesOf(document)) };
  } catch (error) {
    if (error instanceof UnresolvedReference) return { ok: false, message: error.message };
    throw error;
  }
}

function mentionsReference(value: JsonValue): boolean {
  if (typeof value === "string") return value.includes("$(");
  if (isArray(value)) return value.some(mentionsReference);
  return isObject(value) && Object.entries(value).some(([k, v]) => k.includes("$(") || mentionsReference(v ?? null));
}

function childPath(path: string, key: string): string {
  return `${path}/${key.replaceAll("/", "\\/")}`;
}

/** Scalars by their path without anchors; of several the last counts. */
function leavesOf(document: JsonValue): ReadonlyMap<string, JsonValue> {
  const leaves = new Map<string, JsonValue>();
  const visit = (value: JsonValue, path: string): void => {
    if (isArray(value)) value.forEach((item, i) => void visit(item, `${path}/${i}`));
    else if (isObject(value)) for (const [k, v] of Object.entries(value)) visit(v ?? null, childPath(path, k));
    else leaves.set(removeAnchors(path), value);
  };
  visit(document, "");
  return leaves;
}

function replaceIn(value: JsonValue, path: string, leaves: ReadonlyMap<string, JsonValue>): JsonValue {
  if (typeof value === "string") return replaceInText(value, path, leaves);
  if (isArray(value)) return value.map((item, i) => replaceIn(item, `${path}/${i}`, leaves));
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(
    ([k, v]) => [replaceInText(k, path, leaves), replaceIn(v ?? null, childPath(path, k), leaves)] as const,
  );
  return Object.fromEntries(entries);
}

function replaceInText(text: string, path: string, leaves: ReadonlyMap<string, JsonValue>): string {
  if (!text.includes("$(")) return text;
  let result = text;
  for (const [found] of text.matchAll(reference)) {
    const before = found.startsWith("$(") ? "" : found.charAt(0);
    result = result.replace(found, () => before + resolve(found.slice(before.length), path, leaves));
  }
  return result.replace(escaped, (found) => found.slice(1));
}

function resolve(text: string, path: string, leaves: ReadonlyMap<string, JsonValue>): string {
  const inner = text.replace(/^[$()]+|[$()]+$/g, "");
  const operator = operatorOf(inner);
  const target = inner.slice(operator.length);
  if (target === "") throw new UnresolvedReference("expected path, found empty reference");
  const absolute = target.startsWith("/") ? target : joinPath(path, target);
  const value = leaves.get(absolute);
  if (value === undefined || value === null) throw new UnresolvedReference(`got nil resolved variable ${text} at path ${path}`);
  if (typeof value === "string") return operator + value;
  // Kyverno writes numbers with six decimals here.
  if (operator !== "" && (typeof value === "number" || typeof value === "bigint")) return operator + Number(value).toFixed(6);
  throw new UnresolvedReference(`NotResolvedReferenceErr,reference ${text} not resolved at path ${path}`);
}
