/** A piece of a location: `spec.containers[name: *]`. */
export interface PathToken {
  readonly type: "error" | "end" | "name" | "integer" | "[" | "]" | "." | "*" | ":";
  readonly text: string;
  readonly offset: number;
}

const space = /\s/;
const word = /[A-Za-z0-9_-]/;
const digit = /[0-9]/;

/** The text in quotes that begins at `start`; undefined: it has no end. A backslash stands for what follows it. */
function quoted(source: string, start: number): { readonly text: string; readonly end: number } | undefined {
  let text = "";
  for (let at = start + 1; at < source.length; at++) {
    const char = source[at] ?? "";
    if (char === source[start]) return { text, end: at + 1 };
    if (char === "\\") at++;
    text += char === "\\" ? (source[at] ?? "") : char;
  }
  return undefined;
}

function run(source: string, start: number, part: RegExp): string {
  let end = start;
  while (end < source.length && part.test(source[end] ?? "")) end++;
  return source.slice(start, end);
}

/** The tokens of a location, the last of type `end` or `error`. */
export function scanPath(source: string): readonly PathToken[] {
  const tokens: PathToken[] = [];
  let at = 0;
  for (;;) {
    while (at < source.length && space.test(source[at] ?? "")) at++;
    const char = source[at];
    const offset = at;
    if (char === undefined) return [...tokens, { type: "end", text: "", offset }];
    if (digit.test(char)) {
      // A number ends where its digits end: what follows begins a name.
      const text = run(source, at, digit);
      tokens.push({ type: "integer", text, offset });
      at += text.length;
    } else if (word.test(char)) {
      const text = run(source, at, word);
      tokens.push({ type: "name", text, offset });
      at += text.length;
    } else if (char === '"' || char === "'") {
      const found = quoted(source, at);
      if (found === undefined) return [...tokens, { type: "error", text: source.slice(at + 1), offset }];
      tokens.push({ type: "name", text: found.text, offset });
      at = found.end;
    } else if (char === "." || char === "[" || char === "]" || char === "*" || char === ":") {
      tokens.push({ type: char, text: char, offset });
      at++;
    } else return [...tokens, { type: "error", text: String.fromCodePoint(source.codePointAt(at) ?? 0), offset }];
  }
}
