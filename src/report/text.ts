/** Code points that take no column (combining marks, joiners) and two columns (CJK, emoji), as terminals show them. */
const zeroWidth = /\p{Mn}|\p{Me}|\p{Cf}/u;
const wide =
  /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{1F300}-\u{1FAFF}\u{20000}-\u{3FFFD}]/u;
const ascii = /^[\x20-\x7E]*$/;

/** Columns that a terminal takes to show the text. */
export function displayWidth(text: string): number {
  if (ascii.test(text)) return text.length;
  let width = 0;
  for (const char of text) if (!zeroWidth.test(char)) width += wide.test(char) ? 2 : 1;
  return width;
}

export function padEnd(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - displayWidth(text)));
}

export function padStart(text: string, width: number): string {
  return " ".repeat(Math.max(0, width - displayWidth(text))) + text;
}

/** Control characters, which an object's text could use to rewrite the terminal; line feeds and tabs are handled apart. */
const controls = /(?![\n\t])[\p{Cc}\u202A-\u202E\u2066-\u2069]/gu;

/** The text with every control and bidirectional override character shown as `\u....`. */
export function visible(text: string): string {
  return text
    .replace(controls, (c) => (c === "\r" ? "" : `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`))
    .replaceAll("\t", "  ");
}

/** Cuts a word that is wider than a whole line, after a slash where one is near. */
function cut(word: string, width: number): string[] {
  const parts: string[] = [];
  let part = "";
  for (const char of word) {
    if (part !== "" && displayWidth(part + char) > width) {
      const slash = part.lastIndexOf("/") + 1;
      const end = slash > width / 3 ? slash : part.length;
      parts.push(part.slice(0, end));
      part = part.slice(end);
    }
    part += char;
  }
  return part === "" ? parts : [...parts, part];
}

/** Breaks text into lines of at most `width` columns, at spaces where it can; its own line feeds are kept, empty ends dropped. */
export function wrap(text: string, width: number): string[] {
  const room = Math.max(width, 8);
  const lines: string[] = [];
  for (const paragraph of visible(text).trim().split("\n")) {
    let line = "";
    for (const word of paragraph.split(" ").flatMap((w) => (displayWidth(w) > room ? cut(w, room) : [w]))) {
      const longer = line === "" ? word : `${line} ${word}`;
      if (line !== "" && displayWidth(longer) > room) {
        lines.push(line);
        line = word;
      } else line = longer;
    }
    lines.push(line.trimEnd());
  }
  return lines;
}

/** `1 finding`, `2 findings`. */
export function count(n: number, noun: string, plural = `${noun}s`): string {
  return `${groupDigits(n)} ${n === 1 ? noun : plural}`;
}

/** `12,345` whatever the locale. */
export function groupDigits(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** The first line, cut at `length` characters. */
export function headline(text: string, length = 120): string {
  const line = visible(text).trim().split("\n", 1)[0] ?? "";
  return line.length <= length ? line : `${line.slice(0, length - 1)}…`;
}
