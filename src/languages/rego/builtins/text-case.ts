/** ASCII: no range of control characters, for they make a pattern suspicious. */
const ascii = /^\p{ASCII}*$/u;

/** Greek letters whose upper case is one character in Go and two in JavaScript. */
const iotaSubscript = new Map([0x1fb3, 0x1fc3, 0x1ff3].map((code) => [code, code + 9]));

function upperOf(char: string): string {
  const upper = char.toUpperCase();
  if (Array.from(upper).length === 1) return upper;
  const code = char.codePointAt(0) ?? 0;
  if (code >= 0x1f80 && code < 0x1fb0) return String.fromCodePoint(code | 8);
  return String.fromCodePoint(iotaSubscript.get(code) ?? code);
}

/** Upper case character by character, as Go's strings.ToUpper: no character becomes two. */
export function toUpper(text: string): string {
  return ascii.test(text) ? text.toUpperCase() : Array.from(text, upperOf).join("");
}

/** Lower case character by character, as Go's strings.ToLower. */
export function toLower(text: string): string {
  if (ascii.test(text)) return text.toLowerCase();
  return Array.from(text, (char) => (char === "\u0130" ? "i" : char.toLowerCase())).join("");
}

export function isAscii(text: string): boolean {
  return ascii.test(text);
}
