import { CHOMPING_MODE, type ChompingMode, getScalarValue, SCALAR_STYLE, type ScalarStyle } from "js-yaml";
import type { JsonValue } from "../json.ts";
import { indicator, is, jsonEscape, shortEscape, stopsPlain } from "./characters.ts";
import { decodeDoubleQuoted, foldLines } from "./double-quoted.ts";
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
  if (cursor.spans !== undefined) {
    cursor.spans.add("scalar", start, end);
    return null;
  }
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
  return cursor.code() === 34 ? readDoubleQuoted(cursor) : readSingleQuoted(cursor);
}

function readSingleQuoted(cursor: LineCursor): string {
  const { text } = cursor;
  const start = cursor.at + 1;
  let end = text.indexOf("'", start);
  let doubled = false;
  while (end >= 0 && text.charCodeAt(end + 1) === 39) {
    doubled = true;
    end = text.indexOf("'", end + 2);
  }
  const raw = between(cursor, start, end);
  const folded = cursor.lineEnd(start) < end ? foldLines(raw, "\n", false) : raw;
  return doubled ? folded.replaceAll("''", "'") : folded;
}

function readDoubleQuoted(cursor: LineCursor): string {
  const { text } = cursor;
  const start = cursor.at + 1;
  // Whether it is a JSON string as it stands, and whether JSON has all of its escapes.
  let plain = true;
  let json = true;
  let end = start;
  for (let code = text.charCodeAt(end); code !== 34; code = text.charCodeAt(++end)) {
    if (code === 92) {
      plain = false;
      const escaped = text.charCodeAt(++end);
      if (is(escaped, jsonEscape)) continue;
      if (escaped === 117) {
        if (!/^[0-9a-fA-F]{4}/.test(text.slice(end + 1, end + 5))) throw unusual;
      } else if (is(escaped, shortEscape)) json = false;
      else throw unusual;
    } else if (!(code >= 32)) {
      if (!(code >= 0)) throw unusual;
      plain = false;
      json = false;
    }
  }
  const raw = between(cursor, start, end);
  if (plain || cursor.spans !== undefined) return raw;
  if (json) return JSON.parse(text.slice(start - 1, end + 1));
  return decodeDoubleQuoted(raw) ?? decode(cursor, SCALAR_STYLE.DOUBLE_QUOTED, start, end);
}

/** The text between quotes; the cursor goes behind the closing one. */
function between(cursor: LineCursor, start: number, end: number): string {
  if (end < 0 || end >= cursor.end) throw unusual;
  cursor.spans?.add("scalar", start - 1, end + 1);
  cursor.at = end + 1;
  return cursor.text.slice(start, end);
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
  if (cursor.spans !== undefined) return "";
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
