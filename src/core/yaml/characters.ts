/** Classes of ASCII characters, as bits, for readers that look at each character once. */
const classes = new Uint8Array(128);

/** May stand inside a plain key that needs no second look. */
export const inKey = 1;
/** May begin such a key. */
export const beginsKey = 2;
/** Cannot begin a plain scalar that is read without a second look: indicators and white space. */
export const indicator = 4;
/** Ends or may end a plain scalar: a break, a tab, `:`, `#`. */
export const stopsPlain = 8;
/** Ends a plain scalar inside brackets. */
export const flowIndicator = 16;
/** May follow a backslash in double quotes on its own: one of YAML's short escapes, or a line break. */
export const shortEscape = 32;
/** One of those that JSON has, too. */
export const jsonEscape = 64;

function mark(characters: string, bit: number): void {
  for (const c of characters) classes[c.charCodeAt(0)] = (classes[c.charCodeAt(0)] ?? 0) | bit;
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
mark(`${letters}0123456789_./(=+^<$`, beginsKey);
mark(`${letters}0123456789_./(=+^<$)->*@~`, inKey);
mark(" ?,[]{}#&*!|>'\"%@`", indicator);
mark(":#", stopsPlain);
mark(",[]{}", flowIndicator);
mark('"\\/bnrtf 0aveN_LP\r\n', shortEscape);
mark('"\\/bnrtf', jsonEscape);
for (let code = 0; code < 32; code++) mark(String.fromCharCode(code), indicator | stopsPlain);
mark("\x7f", indicator | stopsPlain);

/** Whether a character is of a class; none beyond ASCII is of any. */
export function is(code: number, bits: number): boolean {
  return code < 128 && ((classes[code] ?? 0) & bits) !== 0;
}
