const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const values: ReadonlyMap<string, number> = new Map(Array.from(alphabet, (c, i) => [c, i]));

/**
 * The offset at which Go's `base64.StdEncoding` gives up, as the API server reports it ("illegal base64 data at input
 * byte 6"), or undefined for valid text. Line breaks are skipped; padding is demanded, and only at the end.
 */
export function illegalBase64At(text: string): number | undefined {
  let digits = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charAt(i);
    if (c === "\n" || c === "\r") continue;
    if (c === "=") return badPadding(text, i, digits);
    if (!values.has(c)) return i;
    digits++;
  }
  return digits % 4 === 0 ? undefined : text.length - (digits % 4);
}

/** `=` stands at `start`, after `digits` digits. */
function badPadding(text: string, start: number, digits: number): number | undefined {
  const inQuantum = digits % 4;
  if (inQuantum < 2) return start;
  let wanted = 4 - inQuantum;
  for (let i = start; i < text.length; i++) {
    const c = text.charAt(i);
    if (c === "\n" || c === "\r") continue;
    if (wanted === 0) return i;
    if (c !== "=") return i - 1;
    wanted--;
  }
  return wanted === 0 ? undefined : text.length;
}

/** The bytes of standard base64; undefined where the API server would refuse it. */
export function decodeBase64(text: string): Uint8Array | undefined {
  if (illegalBase64At(text) !== undefined) return undefined;
  const bytes: number[] = [];
  let bits = 0;
  let held = 0;
  for (const c of text) {
    const value = values.get(c);
    if (value === undefined) continue;
    bits = ((bits << 6) | value) & 0xffff;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes.push((bits >> held) & 0xff);
  }
  return Uint8Array.from(bytes);
}
