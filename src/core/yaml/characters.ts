/** Classes of ASCII characters, as bits, for readers that look at each character once. */
const classes = new Uint8Array(128);

/** May stand inside a plain key that needs no second look. */
export const inKey = 1;
/** May begin such a key. */
export const beginsKey = 2;
/** Cannot begin a plain scalar that is read without a second look: indicators and white space. */
export const indicator = 4;
/** Ends or may end a plain scalar: a break, `:`, `#`, a control character. */
export const stopsPlain = 8;
/** Ends a plain scalar inside brackets. */
export const flowIndicator = 16;

function mark(characters: string, bit: number): void {
  for (const c of characters) classes[c.charCodeAt(0)] = (classes[c.charCodeAt(0)] ?? 0) | bit;
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
mark(`${letters}0123456789_./(=+^<$`, beginsKey);
mark(`${letters}0123456789_./(=+^<$)->*@~`, inKey);
mark(" ?,[]{}#&*!|>'\"%@`", indicator);
mark(":#", stopsPlain);
mark(",[]{}", flowIndicator);
for (let code = 0; code < 32; code++) mark(String.fromCharCode(code), indicator | stopsPlain);
mark("\x7f", indicator | stopsPlain);

/** Whether a character is of a class; from U+0080 on only `stopsPlain` can hold, for what may be unprintable. */
export function is(code: number, bits: number): boolean {
  if (code < 128) return ((classes[code] ?? 0) & bits) !== 0;
  return (bits & stopsPlain) !== 0 && (code < 0xa0 || code >= 0xd800);
}
