/**
 * Go's strings are bytes; those of policies nearly always are UTF-8. A byte that is part of no character stands here as a
 * lone surrogate, U+DC00 plus the byte, so that decoded binary data can be hashed and encoded again without loss.
 */
const escapedByte = 0xdc00;

/** The bytes of a text. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  // Latin letters need no more than two bytes, everything else no more than three a code unit.
  const bytes = new Uint8Array(text.length * 3);
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    let code = text.charCodeAt(i);
    if (code >= 0xd800 && code < 0xe000) {
      if (code >= escapedByte + 0x80 && code <= escapedByte + 0xff) {
        bytes[length++] = code - escapedByte;
        continue;
      }
      code = text.codePointAt(i) ?? 0;
      if (code > 0xffff) i++;
      else code = 0xfffd;
    }
    if (code < 0x80) {
      bytes[length++] = code;
    } else if (code < 0x800) {
      bytes[length++] = 0xc0 | (code >> 6);
      bytes[length++] = 0x80 | (code & 0x3f);
    } else if (code < 0x10000) {
      bytes[length++] = 0xe0 | (code >> 12);
      bytes[length++] = 0x80 | ((code >> 6) & 0x3f);
      bytes[length++] = 0x80 | (code & 0x3f);
    } else {
      bytes[length++] = 0xf0 | (code >> 18);
      bytes[length++] = 0x80 | ((code >> 12) & 0x3f);
      bytes[length++] = 0x80 | ((code >> 6) & 0x3f);
      bytes[length++] = 0x80 | (code & 0x3f);
    }
  }
  return bytes.slice(0, length);
}

/** The text of bytes; what is not UTF-8 is kept byte by byte. */
export function textOf(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; ) {
    const [code, width] = characterAt(bytes, i);
    text += width === 0 ? String.fromCharCode(escapedByte + (bytes[i] ?? 0)) : String.fromCodePoint(code);
    i += Math.max(1, width);
  }
  return text;
}

/** The code point at `at` and how many bytes it takes; 0 bytes: none begins there. */
function characterAt(bytes: Uint8Array, at: number): readonly [code: number, width: number] {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return [first, 1];
  const width = first >= 0xc2 && first < 0xe0 ? 2 : first >= 0xe0 && first < 0xf0 ? 3 : first >= 0xf0 && first < 0xf5 ? 4 : 0;
  if (width === 0) return [0, 0];
  let code = first & (0x7f >> width);
  for (let k = 1; k < width; k++) {
    const next = bytes[at + k] ?? 0;
    if ((next & 0xc0) !== 0x80) return [0, 0];
    code = (code << 6) | (next & 0x3f);
  }
  const least = width === 2 ? 0x80 : width === 3 ? 0x800 : 0x10000;
  return code < least || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ? [0, 0] : [code, width];
}

/** The code point of a byte that stands for itself, as {@link bytesOf} reads it; undefined for characters. */
export function rawByte(char: string): number | undefined {
  const code = char.charCodeAt(0);
  return char.length === 1 && code >= escapedByte + 0x80 && code <= escapedByte + 0xff ? code - escapedByte : undefined;
}
