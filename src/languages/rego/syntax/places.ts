import type { Place } from "../ast.ts";

/** Finds lines and columns of a source. */
export class Places {
  readonly #source: string;
  readonly #lineStarts: number[] = [0];
  readonly #wide: boolean;

  constructor(source: string) {
    this.#source = source;
    this.#wide = /[\ud800-\udbff]/.test(source);
    for (let at = source.indexOf("\n"); at >= 0; at = source.indexOf("\n", at + 1)) this.#lineStarts.push(at + 1);
  }

  place(offset: number, end: number): Place {
    let low = 0;
    let high = this.#lineStarts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#lineStarts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    const start = this.#lineStarts[low] ?? 0;
    const units = offset - start;
    const column = (this.#wide ? Array.from(this.#source.slice(start, offset)).length : units) + 1;
    return { offset, end, line: low + 1, column };
  }
}
