const standardAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const urlAlphabet = `${standardAlphabet.slice(0, 62)}-_`;

/** RFC 4648 section 4, or section 5 with `url`. */
export interface Base64Form {
  readonly url: boolean;
  readonly padded: boolean;
}

export const standard: Base64Form = { url: false, padded: true };
export const urlSafe: Base64Form = { url: true, padded: true };
export const urlRaw: Base64Form = { url: true, padded: false };

export function encodeBase64(bytes: Uint8Array, form: Base64Form): string {
  const alphabet = form.url ? urlAlphabet : standardAlphabet;
  let text = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const group = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    const count = Math.min(3, bytes.length - i) + 1;
    for (let k = 0; k < count; k++) text += alphabet.charAt((group >> (18 - 6 * k)) & 0x3f);
    if (form.padded) text += "=".repeat(4 - count);
  }
  return text;
}

/** The bytes, or the place of the first character that fits in no base64, as Go's encoding/base64 counts it. */
export function decodeBase64(text: string, form: Base64Form): Uint8Array<ArrayBuffer> | number {
  const alphabet = form.url ? urlAlphabet : standardAlphabet;
  const bytes: number[] = [];
  let group = 0;
  let digits = 0;
  let at = 0;
  for (; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === "\n" || char === "\r") continue;
    const digit = alphabet.indexOf(char);
    if (digit < 0) {
      if (char !== "=" || !form.padded || digits < 2) return at;
      const end = paddingEnd(text, at, digits);
      if (typeof end === "number") return end;
      break;
    }
    group = (group << 6) | digit;
    if (++digits === 4) {
      bytes.push((group >> 16) & 0xff, (group >> 8) & 0xff, group & 0xff);
      group = 0;
      digits = 0;
    }
  }
  if (at >= text.length && digits > 0 && (digits === 1 || form.padded)) return at - digits;
  if (digits === 2) bytes.push((group >> 4) & 0xff);
  else if (digits === 3) bytes.push((group >> 10) & 0xff, (group >> 2) & 0xff);
  return Uint8Array.from(bytes);
}

const skipBreaks = (text: string, at: number): number => at + (/^[\r\n]*/.exec(text.slice(at))?.[0].length ?? 0);

/** Where the padding that begins at `at` goes wrong; undefined: it does not. */
function paddingEnd(text: string, at: number, digits: number): number | undefined {
  let next = skipBreaks(text, at + 1);
  if (digits === 2) {
    if (next >= text.length) return text.length;
    if (text.charAt(next) !== "=") return next - 1;
    next = skipBreaks(text, next + 1);
  }
  return next < text.length ? next : undefined;
}
