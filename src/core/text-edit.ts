import type { JsonPatch, JsonPatchOperation } from "./finding.ts";
import { isArray, isObject, type JsonPath, type JsonValue, valueAt } from "./json.ts";
import { parsePointer } from "./json-patch.ts";
import type { SourceDocument, Span } from "./source.ts";

/** A stretch of a text to be replaced; an empty stretch is a place to insert at. */
export interface TextEdit {
  readonly span: Span;
  readonly text: string;
}

/**
 * A patch as edits of the document's text, which keep its layout and comments. Undefined where one of the operations
 * cannot be made in place with certainty: it then takes a tool that writes the whole document.
 */
export function textEdits(document: SourceDocument, patch: JsonPatch): readonly TextEdit[] | undefined {
  const edits = patch.map((operation) => textEdit(document, operation));
  return edits.length > 0 && edits.every((e) => e !== undefined) ? edits : undefined;
}

function textEdit(document: SourceDocument, operation: JsonPatchOperation): TextEdit | undefined {
  if (operation.op !== "add" && operation.op !== "replace") return undefined;
  const path = steps(document.value, operation.path);
  const last = path?.at(-1);
  if (path === undefined || typeof last !== "string") return undefined;
  const present = valueAt(document.value, path);
  if (present !== undefined) return isScalar(present) ? replacement(document.locate(path), operation.value) : undefined;
  return operation.op === "add" ? insertion(document, path.slice(0, -1), last, operation.value) : undefined;
}

/** A pointer's steps, indexes of lists as numbers; undefined for `-` and for what leaves the document. */
function steps(root: JsonValue, pointer: string): JsonPath | undefined {
  const path: (string | number)[] = [];
  for (const token of parsePointer(pointer) ?? []) {
    const container = valueAt(root, path);
    if (isArray(container) && !/^\d+$/.test(token)) return undefined;
    path.push(isArray(container) ? Number(token) : token);
  }
  return path.length === 0 ? undefined : path;
}

/** Lists and objects in block style may stand where one in flow style may not. */
function isScalar(value: JsonValue): boolean {
  return !isArray(value) && !isObject(value);
}

/** Of a value that stands on one line: what follows it cannot be meant to belong to it. */
function replacement(span: Span | undefined, value: JsonValue): TextEdit | undefined {
  return span === undefined || span.start.line !== span.end.line ? undefined : { span, text: written(value) };
}

/** Before the first member of an object in block style, at its column. */
function insertion(document: SourceDocument, parent: JsonPath, key: string, value: JsonValue): TextEdit | undefined {
  const object = valueAt(document.value, parent);
  const first = isObject(object) ? Object.keys(object)[0] : undefined;
  if (first === undefined) return undefined;
  const start = document.locate(parent)?.start;
  const firstKey = document.locateKey([...parent, first]);
  // In flow style and in JSON a brace comes before the first key.
  if (start === undefined || firstKey?.start.offset !== start.offset) return undefined;
  const name = /^[A-Za-z][\w.-]*$/.test(key) ? key : JSON.stringify(key);
  const text = `${name}: ${written(value)}\n${" ".repeat(start.column - 1)}`;
  return { span: { ...firstKey, end: start }, text };
}

/** JSON is YAML in flow style. */
function written(value: JsonValue): string {
  return JSON.stringify(value, (_, v) => (typeof v === "bigint" ? Number(v) : v));
}
