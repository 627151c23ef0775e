/** Words that stand for a value that somebody was to fill in. */
const placeholders = [
  /^<[^<>]{0,80}>$/,
  /^(?:your|my|insert|enter|put|add|paste)[-_ ]/i,
  /(?:^|[-_ ])(?:change-?_?me|replace-?_?me|placeholder|todo|fixme|fill-?_?me|to-?be-?(?:replaced|set|filled))(?:[-_ ]|$)/i,
  /^(?:x{3,}|\*{3,}|\.{3,}|redacted|dummy|example|sample)$/i,
  /base-?_?64[-_ ]?(?:encoded|value|here|string)/i,
  /[-_ ](?:here|goes-?here)$/i,
];

/** Whether somebody was to replace a text. */
export function isPlaceholder(text: string): boolean {
  return text.length <= longestPlaceholder && placeholders.some((pattern) => pattern.test(text.trim()));
}

/** Longer texts are values, or prose. */
export const longestPlaceholder = 120;

/** The text of UTF-8 bytes without control characters; undefined for anything else. */
export function printable(bytes: Uint8Array): string | undefined {
  let text = "";
  for (let i = 0; i < bytes.length; ) {
    const first = bytes[i] ?? 0;
    const length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    if (length === 0 || i + length > bytes.length) return undefined;
    let point = length === 1 ? first : first & (0xff >> (length + 1));
    for (let k = 1; k < length; k++) {
      const next = bytes[i + k] ?? 0;
      if ((next & 0xc0) !== 0x80) return undefined;
      point = (point << 6) | (next & 0x3f);
    }
    if (point < 0x20 && point !== 9 && point !== 10 && point !== 13) return undefined;
    text += String.fromCodePoint(point);
    i += length;
  }
  return text;
}
