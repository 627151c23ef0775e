import { CHOMPING_MODE, type ChompingMode, getScalarValue, SCALAR_STYLE, type ScalarStyle } from "js-yaml";
import type { JsonValue } from "../json.ts";
import { indicator, is, stopsPlain } from "./characters.ts";
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
  const { text } = cursor;
  const quote = cursor.code();
  const start = cursor.at + 1;
  let simple = true;
  let at = start;
  for (; ; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) {
      if (quote === 34 || text.charCodeAt(at + 1) !== 39) break;
      simple = false;
      at++;
    } else if (code === 92 && quote === 34) {
      simple = false;
      at++;
      if (!isEscape(text, at)) throw unusual;
    } else if (code === 10 || code === 13) simple = false;
    else if (!(code >= 32 || code === 9)) throw unusual;
  }
  if (at >= cursor.end) throw unusual;
  cursor.spans?.add("scalar", start - 1, at + 1);
  cursor.at = at + 1;
  if (simple) return text.slice(start, at);
  return decode(cursor, quote === 34 ? SCALAR_STYLE.DOUBLE_QUOTED : SCALAR_STYLE.SINGLE_QUOTED, start, at);
}

/** Whether a known escape stands at `at`, behind the backslash; a line break is one. */
function isEscape(text: string, at: number): boolean {
  if (text.charCodeAt(at) === 117) return /^[0-9a-fA-F]{4}/.test(text.slice(at + 1, at + 5));
  return '"\\/bnrtf 0aveN_LP\r\n'.includes(text.charAt(at));
}

const unprintable = /[^\t\n\r\x20-\x7e\xa0-\ud7ff]/;

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
  if (unprintable.test(text.slice(start, at))) throw unusual;
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
