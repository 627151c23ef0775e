import { encodeUtf8 } from "../../core/utf8.ts";

const simple = new Map([
  ["a", "\x07"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ["v", "\v"],
  ["\\", "\\"],
  ["'", "'"],
  ['"', '"'],
  ["`", "`"],
  ["?", "?"],
]);

/** The characters between the quotes, and whether escapes stand for nothing (`r"..."`). */
function strip(literal: string): { readonly body: string; readonly raw: boolean } {
  const normal = literal.replace(/\r\n?/g, "\n").replace(/^[bB]/, "");
  const raw = /^[rR]/.test(normal);
  const quotedText = raw ? normal.slice(1) : normal;
  const quotes = quotedText.length >= 6 && /^(?:'''|""")/.test(quotedText) ? 3 : 1;
  return { body: quotedText.slice(quotes, -quotes), raw };
}

const escapeSequence = /\\(?:[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|(.))/gsu;

/** The text of a string literal; undefined where an escape names no code point. */
export function unquoteString(literal: string): string | undefined {
  const { body, raw } = strip(literal);
  if (raw || !body.includes("\\")) return body;
  let sound = true;
  const text = body.replace(escapeSequence, (_, x, u, long, octal, char) => {
    const hex = x ?? u ?? long;
    if (hex === undefined && octal === undefined) {
      const plain = simple.get(char);
      sound &&= plain !== undefined;
      return plain ?? "";
    }
    const point = hex !== undefined ? Number.parseInt(hex, 16) : Number.parseInt(octal, 8);
    if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) {
      sound = false;
      return "";
    }
    return String.fromCodePoint(point);
  });
  return sound ? text : undefined;
}

/** The bytes of a bytes literal: `\x` and octal escapes are bytes, everything else is UTF-8; undefined for `\u`. */
export function unquoteBytes(literal: string): Uint8Array | undefined {
  const { body, raw } = strip(literal);
  if (raw || !body.includes("\\")) return encodeUtf8(body);
  const bytes: number[] = [];
  let rest = 0;
  for (const match of body.matchAll(escapeSequence)) {
    const [whole, x, u, long, octal, char = ""] = match;
    bytes.push(...encodeUtf8(body.slice(rest, match.index)));
    rest = match.index + whole.length;
    if (u !== undefined || long !== undefined) return undefined;
    if (x !== undefined) bytes.push(Number.parseInt(x, 16));
    else if (octal !== undefined) bytes.push(Number.parseInt(octal, 8));
    else {
      const plain = simple.get(char);
      if (plain === undefined) return undefined;
      bytes.push(...encodeUtf8(plain));
    }
  }
  bytes.push(...encodeUtf8(body.slice(rest)));
  return Uint8Array.from(bytes);
}
