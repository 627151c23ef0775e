import type { JsonValue } from "../json.ts";
import { beginsKey, inKey, is } from "./characters.ts";
import { setMember } from "./compose.ts";
import type { KeyCache } from "./key-cache.ts";
import { LineCursor, unusual } from "./line-cursor.ts";
import { type SpanTable, SpanTableBuilder } from "./span-table.ts";
import { readFlow } from "./usual-flow.ts";
import { readBlock, readPlain, readQuoted } from "./usual-scalars.ts";

const maximumDepth = 100;

const controls = "\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f";
const unusualCharacter = new RegExp(`[${controls}\\ufffe\\uffff\\ud800-\\udfff]`, "u");

/** Whether a text is free of what `readUsual` must not meet: control characters, CR without LF, broken UTF-16. */
export function isUsualText(text: string): boolean {
  if (unusualCharacter.test(text) || text.indexOf("\ufeff", 1) >= 0) return false;
  return !text.includes("\r") || !/\r(?!\n)/.test(text);
}

/**
 * Reads the YAML that nearly all Kubernetes documents are written in, several times faster than a complete parser:
 * block mappings and sequences, plain, quoted and block scalars, brackets within a line. Everything else, errors
 * included, is left to the complete parser: the answer is then `undefined`. Where it answers, it answers the same.
 * The text must be one that `isUsualText` accepts, and end in a line break. Spans, where wanted, count from the start of the text.
 */
export function readUsual(
  text: string,
  start: number,
  end: number,
  keys: KeyCache,
  spans?: SpanTableBuilder,
): JsonValue | undefined {
  try {
    return readDocument(new LineCursor(text, start, end, keys, spans));
  } catch (error) {
    if (error === unusual) return undefined;
    throw error;
  }
}

/** Where the parts of a document that `readUsual` has read before stand: this time without its values. */
export function usualSpans(text: string, start: number, end: number, keys: KeyCache): SpanTable {
  const spans = new SpanTableBuilder();
  readUsual(text, start, end, keys, spans);
  return spans.build();
}

function readDocument(cursor: LineCursor): JsonValue {
  if (cursor.text.startsWith("---", cursor.at)) {
    cursor.at += 3;
    cursor.endLine();
  } else cursor.findContent();
  if (cursor.column < 0) throw unusual;
  const value = readNode(cursor, -1);
  if (cursor.column >= 0 || typeof value !== "object") throw unusual;
  return value;
}

/** A node that begins a line or follows a dash, of a parent at column `parent`. */
function readNode(cursor: LineCursor, parent: number): JsonValue {
  if (++cursor.depth > maximumDepth) throw unusual;
  const column = cursor.at - cursor.lineStart;
  let value: JsonValue;
  if (cursor.atDash()) value = readSequence(cursor, column);
  else {
    const key = readKey(cursor);
    value = key === undefined ? readInline(cursor, parent) : readMapping(cursor, column, key);
  }
  cursor.depth--;
  return value;
}

function readMapping(cursor: LineCursor, column: number, first: string): JsonValue {
  const object: Record<string, JsonValue> = {};
  cursor.spans?.add("mapping", cursor.keyStart, cursor.keyEnd);
  let key: string | undefined = first;
  for (;;) {
    if (key === undefined || Object.hasOwn(object, key)) throw unusual;
    cursor.spans?.add("key", cursor.keyStart, cursor.keyEnd, key);
    const value = readMember(cursor, column);
    if (cursor.spans === undefined) setMember(object, key, value);
    if (cursor.column !== column) break;
    key = readKey(cursor);
  }
  if (cursor.column > column) throw unusual;
  cursor.spans?.close();
  return object;
}

/** What follows a key's colon. */
function readMember(cursor: LineCursor, column: number): JsonValue {
  const colon = cursor.at;
  if (!cursor.restIsEmpty()) return readInline(cursor, column);
  cursor.endLine();
  if (cursor.column > column) return readNode(cursor, column);
  if (cursor.column === column && cursor.atDash()) return readSequence(cursor, column);
  cursor.spans?.add("scalar", colon, colon);
  return null;
}

function readSequence(cursor: LineCursor, column: number): JsonValue {
  const items: JsonValue[] = [];
  cursor.spans?.add("sequence", cursor.at, cursor.at + 1);
  do {
    const dash = ++cursor.at;
    if (!cursor.restIsEmpty()) items.push(readNode(cursor, column));
    else {
      cursor.endLine();
      if (cursor.column > column) items.push(readNode(cursor, column));
      else {
        cursor.spans?.add("scalar", dash, dash);
        items.push(null);
      }
    }
  } while (cursor.column === column && cursor.atDash());
  if (cursor.column > column) throw unusual;
  cursor.spans?.close();
  return items;
}

/** The key at the cursor, which then stands behind its colon; undefined where there is no key. */
function readKey(cursor: LineCursor): string | undefined {
  const { text, at: start } = cursor;
  let code = text.charCodeAt(start);
  if (code === 34 || code === 39) return readQuotedKey(cursor, code);
  if (!is(code, beginsKey)) return undefined;
  let at = start;
  let hash = 0;
  for (; is(code, inKey) || (code === 58 && !cursor.isBlank(at + 1)); code = text.charCodeAt(++at)) {
    hash = (Math.imul(hash, 31) + code) | 0;
  }
  return endKey(cursor, start, at) ? cursor.keys.key(text, start, at, hash) : undefined;
}

function readQuotedKey(cursor: LineCursor, quote: number): string | undefined {
  const { text, at: start } = cursor;
  let at = start + 1;
  for (let code = text.charCodeAt(at); code !== quote; code = text.charCodeAt(++at)) {
    if (code === 92 || !(code >= 32)) return undefined;
  }
  return endKey(cursor, start, at + 1) ? text.slice(start + 1, at) : undefined;
}

/** Whether a colon ends the key that stands between two offsets; the cursor then goes behind it. */
function endKey(cursor: LineCursor, start: number, end: number): boolean {
  if (cursor.text.charCodeAt(end) !== 58 || !cursor.isBlank(end + 1)) return false;
  cursor.keyStart = start;
  cursor.keyEnd = end;
  cursor.at = end + 1;
  return true;
}

/** A scalar or brackets; the cursor ends on the next content line. */
function readInline(cursor: LineCursor, parent: number): JsonValue {
  let value: JsonValue;
  switch (cursor.code()) {
    case 34:
    case 39:
      value = readQuoted(cursor);
      cursor.endLine();
      return value;
    case 91:
    case 123:
      value = readFlow(cursor);
      cursor.endLine();
      return value;
    case 124:
    case 62:
      return readBlock(cursor, parent);
    default:
      return readPlain(cursor, parent);
  }
}
