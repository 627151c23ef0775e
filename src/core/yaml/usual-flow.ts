import type { JsonValue } from "../json.ts";
import { beginsKey, flowIndicator, indicator, is, stopsPlain } from "./characters.ts";
import { setMember } from "./compose.ts";
import { type LineCursor, unusual } from "./line-cursor.ts";
import { keyText, resolvePlain, type Scalar } from "./scalars.ts";
import { readQuoted } from "./usual-scalars.ts";

const maximumDepth = 20;

/** What brackets or braces hold; ends behind the closing one. */
export function readFlow(cursor: LineCursor, depth = 0): JsonValue {
  if (depth > maximumDepth) throw unusual;
  const start = cursor.at;
  const isMapping = cursor.code() === 123;
  const object: Record<string, JsonValue> = {};
  const items: JsonValue[] = [];
  cursor.spans?.add(isMapping ? "mapping" : "sequence", start, start + 1);
  cursor.at++;
  skipSpace(cursor);
  while (!takes(cursor, isMapping ? 125 : 93)) {
    if (isMapping) readPair(cursor, object, depth);
    else items.push(readFlowNode(cursor, depth));
    skipSpace(cursor);
    if (takes(cursor, 44)) skipSpace(cursor);
    else if (cursor.code() !== (isMapping ? 125 : 93)) throw unusual;
  }
  cursor.spans?.close(cursor.at);
  return isMapping ? object : items;
}

function takes(cursor: LineCursor, code: number): boolean {
  if (cursor.code() !== code) return false;
  cursor.at++;
  return true;
}

function readPair(cursor: LineCursor, object: Record<string, JsonValue>, depth: number): void {
  const start = cursor.at;
  const code = cursor.code();
  let key: string | undefined;
  if (code === 34 || code === 39) {
    const close = cursor.text.indexOf(String.fromCharCode(code), start + 1);
    key = cursor.text.slice(start + 1, close);
    if (close < 0 || /[\\\n\r]/.test(key) || cursor.text.charCodeAt(close + 1) === code) throw unusual;
    cursor.at = close + 1;
  } else {
    const end = flowPlainEnd(cursor);
    const raw = cursor.text.slice(start, end);
    if (raw === "<<") throw unusual;
    key = keyText(resolvePlain(raw), raw);
  }
  if (key === undefined || Object.hasOwn(object, key)) throw unusual;
  cursor.spans?.add("key", start, cursor.at, key);
  if (!takes(cursor, 58)) throw unusual;
  skipSpace(cursor);
  const value = readFlowNode(cursor, depth);
  if (cursor.spans === undefined) setMember(object, key, value);
}

function readFlowNode(cursor: LineCursor, depth: number): JsonValue {
  const start = cursor.at;
  switch (cursor.code()) {
    case 91:
    case 123:
      return readFlow(cursor, depth + 1);
    case 34:
    case 39:
      return readQuoted(cursor);
    default: {
      const end = flowPlainEnd(cursor);
      cursor.spans?.add("scalar", start, end);
      const value: Scalar = resolvePlain(cursor.text.slice(start, end));
      if (value === undefined || cursor.code() === 58) throw unusual;
      return value;
    }
  }
}

/** White space, line breaks and comments; libyaml does not mind the indentation inside brackets. */
function skipSpace(cursor: LineCursor): void {
  for (; cursor.at < cursor.end; cursor.at++) {
    const code = cursor.code();
    if (code === 35 && (cursor.isBlank(cursor.at - 1) || cursor.text.charCodeAt(cursor.at - 1) === 9)) {
      cursor.at = cursor.lineEnd(cursor.at);
    } else if (code !== 32 && code !== 9 && !cursor.isBreak(cursor.at)) return;
  }
  throw unusual;
}

/** Where plain text inside brackets ends; the cursor goes there. */
function flowPlainEnd(cursor: LineCursor): number {
  const { text } = cursor;
  const first = cursor.code();
  if (is(first, indicator) || first === 58 || (first === 45 && !is(text.charCodeAt(cursor.at + 1), beginsKey))) throw unusual;
  let at = cursor.at;
  for (; at < cursor.end; at++) {
    const code = text.charCodeAt(at);
    if (is(code, flowIndicator)) break;
    if (!is(code, stopsPlain)) continue;
    if (code === 10 || code === 13) break;
    if (code === 35 && text.charCodeAt(at - 1) === 32) break;
    if (code === 35) continue;
    if (code !== 58) throw unusual;
    const next = text.charCodeAt(at + 1);
    if (cursor.isBlank(at + 1)) break;
    if (is(next, flowIndicator)) throw unusual;
  }
  while (text.charCodeAt(at - 1) === 32) at--;
  cursor.at = at;
  return at;
}
