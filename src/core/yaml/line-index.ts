import type { Position, Span } from "../source.ts";

/** Turns offsets of one text into lines and columns; the line table is built at the first question. */
export class LineIndex {
  readonly file: string;
  readonly text: string;
  #starts: Uint32Array | undefined;

  constructor(text: string, file: string) {
    this.text = text;
    this.file = file;
  }

  position(offset: number): Position {
    this.#starts ??= lineStarts(this.text);
    const starts = this.#starts;
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { offset, line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  }

  span(start: number, end: number): Span {
    return { file: this.file, start: this.position(start), end: this.position(end) };
  }
}

/** YAML's line breaks: LF, CR LF and a lone CR. */
function lineStarts(text: string): Uint32Array {
  if (/\r(?!\n)/.test(text)) {
    const breaks = text.matchAll(/\r\n?|\n/g);
    return Uint32Array.from([0, ...breaks.map(({ 0: found, index }) => index + found.length)]);
  }
  let lines = 1;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines++;
  const starts = new Uint32Array(lines);
  let line = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts[++line] = at + 1;
  return starts;
}
