import type { Level } from "./order.ts";

/** Terminal styles; every function gives its text back unchanged where colours are off. */
export interface Style {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly green: (text: string) => string;
  readonly level: (level: Level, text: string) => string;
}

/** SGR parameters. */
const levelCodes: { readonly [level in Level]: string } = {
  critical: "1;97;41",
  high: "1;31",
  medium: "33",
  low: "36",
  info: "34",
  warn: "35",
  error: "1;33",
  skip: "2",
  pass: "32",
};

export function styleFor(color: boolean): Style {
  const sgr = (code: string) => (text: string) => (color && text !== "" ? `\u001B[${code}m${text}\u001B[0m` : text);
  return { bold: sgr("1"), dim: sgr("2"), green: sgr("32"), level: (level, text) => sgr(levelCodes[level])(text) };
}
