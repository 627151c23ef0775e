/** The UTF-8 bytes of a text; lone surrogates become U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const char of text) {
    const point = char.codePointAt(0) ?? 0;
    const code = point >= 0xd800 && point <= 0xdfff ? 0xfffd : point;
    if (code < 0x80) bytes.push(code);
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 0x3f));
    else if (code < 0x10000) bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f));
    else bytes.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 0x3f), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f));
  }
  return Uint8Array.from(bytes);
}

const minimum = [0, 0x80, 0x800, 0x10000];

/** Whether the bytes are well-formed UTF-8. */
export function isUtf8(bytes: Uint8Array): boolean {
  return !decode(bytes).replaced;
}

/** The text that UTF-8 bytes spell; each byte that is part of no character becomes U+FFFD. */
export function decodeUtf8(bytes: Uint8Array): string {
  return decode(bytes).text;
}

function decode(bytes: Uint8Array): { readonly text: string; readonly replaced: boolean } {
  let text = "";
  let replaced = false;
  for (let i = 0; i < bytes.length; ) {
    const first = bytes[i] ?? 0;
    const more =
      first < 0x80
        ? 0
        : first >= 0xc2 && first < 0xe0
          ? 1
          : first >= 0xe0 && first < 0xf0
            ? 2
            : first >= 0xf0 && first < 0xf5
              ? 3
              : -1;
    let code = more === 0 ? first : first & (0x3f >> Math.max(more, 0));
    let sound = more >= 0;
    for (let k = 1; sound && k <= more; k++) {
      const next = bytes[i + k] ?? 0;
      sound = (next & 0xc0) === 0x80;
      code = (code << 6) | (next & 0x3f);
    }
    sound &&= code >= (minimum[more] ?? 0) && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
    text += sound ? String.fromCodePoint(code) : "\ufffd";
    replaced ||= !sound;
    i += sound ? more + 1 : 1;
  }
  return { text, replaced };
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Standard base64 with padding (RFC 4648 section 4). */
export function encodeBase64(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const group = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    const chars = [18, 12, 6, 0].map((shift) => alphabet.charAt((group >> shift) & 0x3f));
    const missing = Math.max(0, i + 3 - bytes.length);
    text += chars.slice(0, 4 - missing).join("") + "=".repeat(missing);
  }
  return text;
}

/** Undefined where `text` is no padded standard base64; line breaks are skipped. */
export function decodeBase64(text: string): Uint8Array | undefined {
  const compact = text.replace(/[\r\n]/g, "");
  if (compact.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(compact)) return undefined;
  const digits = compact.replace(/=+$/, "");
  const bytes = new Uint8Array(Math.floor((digits.length * 3) / 4));
  let group = 0;
  let bits = 0;
  let length = 0;
  for (const digit of digits) {
    group = ((group << 6) | alphabet.indexOf(digit)) & 0xffffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[length++] = (group >> bits) & 0xff;
    }
  }
  return bytes;
}
