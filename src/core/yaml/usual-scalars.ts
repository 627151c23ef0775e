import { CHOMPING_MODE, type ChompingMode, getScalarValue, SCALAR_STYLE, type ScalarStyle } from "js-yaml";
import type { JsonValue } from "../json.ts";
import { indicator, is, shortEscape, stopsPlain } from "./characters.ts";
import { decodeDoubleQuoted } from "./double-quoted.ts";
import { type LineCursor, unusual } from "./line-cursor.ts";
import { resolvePlain } from "./scalars.ts";

/** A plain scalar of a parent at column `parent`; ends on the next content line. */
export function readPlain(cursor: LineCursor, parent: number): JsonValue {
  const start = cursor.at;
  if (is(cursor.code(), indicator) || cursor.atDash()) throw unusual;
  let end = plainLineEnd(cursor);
  cursor.endLine();
  let multiline = false;
  while (cursor.column > parent) {
    if (cursor.comment) throw unusual;
    multiline = true;
    end = plainLineEnd(cursor);
    cursor.endLine();
  }
  cursor.spans?.add("scalar", start, end);
  const text = multiline ? decode(cursor, SCALAR_STYLE.PLAIN, start, end) : cursor.text.slice(start, end);
  const value = resolvePlain(text);
  if (value === undefined) throw unusual;
  return value;
}

/** Where the rest of a line ends when read as plain text; the cursor goes there. */
function plainLineEnd(cursor: LineCursor): number {
  const { text } = cursor;
  let at = cursor.at;
  for (; at < cursor.end; at++) {
    const code = text.charCodeAt(at);
    if (!is(code, stopsPlain)) continue;
    if (code === 58) {
      if (cursor.isBlank(at + 1)) throw unusual;
    } else if (code === 35) {
      if (text.charCodeAt(at - 1) === 32) break;
    } else if (code === 10 || code === 13) break;
    else throw unusual;
  }
  while (text.charCodeAt(at - 1) === 32) at--;
  cursor.at = at;
  return at;
}

/** Quoted text, perhaps over several lines, which libyaml lets begin anywhere; ends behind the closing quote. */
export function readQuoted(cursor: LineCursor): string {
  const start = cursor.at + 1;
  const double = cursor.code() === 34;
  const end = double ? closingDoubleQuote(cursor.text, start) : closingSingleQuote(cursor.text, start);
  if (end < 0 || end >= cursor.end) throw unusual;
  cursor.spans?.add("scalar", start - 1, end + 1);
  cursor.at = end + 1;
  const raw = cursor.text.slice(start, end);
  const special = double ? raw.indexOf("\\") : raw.indexOf("'");
  if (special < 0 && cursor.lineEnd(start) > end) return raw;
  if (double && !hasKnownEscapes(raw, special)) throw unusual;
  const text = double ? decodeDoubleQuoted(raw) : undefined;
  if (text !== undefined) return text;
  return decode(cursor, double ? SCALAR_STYLE.DOUBLE_QUOTED : SCALAR_STYLE.SINGLE_QUOTED, start, end);
}

function closingSingleQuote(text: string, start: number): number {
  let at = text.indexOf("'", start);
  while (at >= 0 && text.charCodeAt(at + 1) === 39) at = text.indexOf("'", at + 2);
  return at;
}

/** The first double quote behind an even number of backslashes. */
function closingDoubleQuote(text: string, start: number): number {
  for (let at = text.indexOf('"', start); at >= 0; at = text.indexOf('"', at + 1)) {
    let backslash = at;
    while (backslash > start && text.charCodeAt(backslash - 1) === 92) backslash--;
    if ((at - backslash) % 2 === 0) return at;
  }
  return -1;
}

function hasKnownEscapes(raw: string, first: number): boolean {
  for (let at = first; at >= 0; at = raw.indexOf("\\", at + 2)) {
    const code = raw.charCodeAt(at + 1);
    if (!is(code, shortEscape) && !(code === 117 && /^[0-9a-fA-F]{4}/.test(raw.slice(at + 2, at + 6)))) return false;
  }
  return true;
}

/** A block scalar of a parent at column `parent`; ends on the next content line. */
export function readBlock(cursor: LineCursor, parent: number): string {
  const { text } = cursor;
  const header = cursor.at++;
  const sign = cursor.code();
  const chomping = sign === 45 ? CHOMPING_MODE.STRIP : sign === 43 ? CHOMPING_MODE.KEEP : CHOMPING_MODE.CLIP;
  if (chomping !== CHOMPING_MODE.CLIP) cursor.at++;
  if (!cursor.restIsEmpty()) throw unusual;
  const start = Math.min(cursor.lineEnd(cursor.at) + 1, cursor.end);
  let indent = -1;
  let leading = 0;
  let at = start;
  while (at < cursor.end) {
    let content = at;
    while (text.charCodeAt(content) === 32) content++;
    const column = content - at;
    if (content >= cursor.end) throw unusual;
    if (cursor.isBreak(content)) {
      if (indent < 0) leading = Math.max(leading, column);
    } else if (indent >= 0) {
      if (column < indent) break;
    } else {
      if (column <= parent) break;
      if (leading > column || text.charCodeAt(content) === 9) throw unusual;
      indent = column;
    }
    at = Math.min(cursor.lineEnd(content) + 1, cursor.end);
  }
  cursor.spans?.add("scalar", header, at);
  cursor.at = at;
  cursor.findContent();
  const style = text.charCodeAt(header) === 124 ? SCALAR_STYLE.LITERAL_BLOCK : SCALAR_STYLE.FOLDED_BLOCK;
  return decode(cursor, style, start, at, indent, chomping);
}

/** What the complete parser makes of the scalar's text between two offsets. */
function decode(
  cursor: LineCursor,
  style: ScalarStyle,
  valueStart: number,
  valueEnd: number,
  indent = -1,
  chomping: ChompingMode = CHOMPING_MODE.CLIP,
): string {
  const absent = { anchorStart: -1, anchorEnd: -1, tagStart: -1, tagEnd: -1 };
  return getScalarValue(cursor.text, { type: 4, style, valueStart, valueEnd, indent, chomping, fast: false, ...absent });
}
