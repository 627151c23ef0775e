import type { KeyCache } from "./key-cache.ts";
import type { SpanTableBuilder } from "./span-table.ts";

/** Thrown where a document leaves the usual subset; always caught in `readUsual`. */
export const unusual = new Error("not in the usual subset of YAML");

/** A place in a YAML document, and the moves that its readers share. */
export class LineCursor {
  readonly text: string;
  /** Where the document ends; a line always starts there. */
  readonly end: number;
  readonly keys: KeyCache;
  readonly spans: SpanTableBuilder | undefined;
  at: number;
  /** Of the content line that the last move ended on; the column is -1 at the document's end. */
  lineStart: number;
  column = 0;
  /** Whether a comment stands between that content and what came before. */
  comment = false;
  /** How many mappings and sequences are open. */
  depth = 0;
  /** Where the last key stands. */
  keyStart = 0;
  keyEnd = 0;

  constructor(text: string, start: number, end: number, keys: KeyCache, spans: SpanTableBuilder | undefined) {
    this.text = text;
    this.at = start;
    this.lineStart = start;
    this.end = end;
    this.keys = keys;
    this.spans = spans;
  }

  code(): number {
    return this.text.charCodeAt(this.at);
  }

  spaces(): void {
    while (this.code() === 32) this.at++;
  }

  /** Whether a space, a line break or the end stands at `at`. */
  isBlank(at: number): boolean {
    return this.text.charCodeAt(at) === 32 || this.isBreak(at) || at >= this.end;
  }

  isBreak(at: number): boolean {
    const code = this.text.charCodeAt(at);
    return code === 10 || code === 13;
  }

  atDash(): boolean {
    return this.code() === 45 && this.isBlank(this.at + 1);
  }

  /** Where the line feed at or after `at` stands. */
  lineEnd(at: number): number {
    const found = this.text.indexOf("\n", at);
    return found < 0 || found > this.end ? this.end : found;
  }

  /** Skips spaces and a comment; whether the line ends there. */
  restIsEmpty(): boolean {
    const before = this.at;
    this.spaces();
    this.comment = this.code() === 35 && this.at > before;
    if (this.comment) {
      this.at = this.lineEnd(this.at);
      return true;
    }
    return this.isBreak(this.at) || this.at >= this.end;
  }

  /** From where nothing but a comment may follow, to the next line with content. */
  endLine(): void {
    if (!this.restIsEmpty()) throw unusual;
    this.at = this.lineEnd(this.at) + 1;
    this.findContent();
  }

  /** From the start of a line to the next content. */
  findContent(): void {
    let at = this.at;
    while (at < this.end) {
      this.lineStart = at;
      let code = this.text.charCodeAt(at);
      while (code === 32) code = this.text.charCodeAt(++at);
      if (code === 35) this.comment = true;
      else if (code === 9) throw unusual;
      else if (code !== 10 && code !== 13 && at < this.end) {
        this.at = at;
        this.column = at - this.lineStart;
        return;
      }
      at = this.lineEnd(at) + 1;
    }
    this.at = this.end;
    this.column = -1;
  }
}
